-- Answers that a person has edited: versions beside what the model said.

ALTER TABLE messages ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;
