-- Which conversation another one was forked from. That one may be gone, or in the trash.

ALTER TABLE conversations ADD COLUMN forked_from TEXT;
