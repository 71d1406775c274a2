### Looking for newer releases.

update_error-no_feed = This build does not know where releases are told of. Look where you got it from.
update_error-unreachable = Releases cannot be looked for now. Check the connection, then try again.
update_error-not_signed = The news of releases is not signed by Llamero's makers, so it is not believed.
update_error-unreadable = The news of releases makes no sense to this version. Look where you got Llamero from.
update_error-too_large = The news of releases is too large to be genuine, so it is not believed.
update_error-insecure = The news of releases leads to an address that is not secure, so nothing is fetched from there.
update_error-wrong_digest = { $name } is not the file that was announced, so it was removed. Try again later.
update_error-cut_off = The download of { $name } was cut off. Check the connection, then try again: it goes on where it was.
update_error-not_saved = The download could not be saved in { $path }: { $reason }.
update_error-nothing_to_fetch = There is no newer release for this system.
update_error-under_way = The download is under way.
