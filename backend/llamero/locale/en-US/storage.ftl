### The database: what is wrong with it and what to do. The file is unchanged in each of these cases.

storage_error-corrupt =
    The database { $path } is damaged. It was not changed. Move it and its -wal and -shm files elsewhere, then { GIVEN($backup) ->
        [yes] put the backup { $backup } in its place and
       *[no] { "" }
    }start again.
storage_error-newer =
    The database { $path } was written by a newer Llamero (format { $found }, this one knows { $known }). It was not changed. Install the newer Llamero.
storage_error-read_only =
    The database { $path } cannot be written{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Make its file and folder writable, or choose another folder with --data-dir.
storage_error-full =
    The database { $path } cannot grow: the disk or a quota is full. What was saved before is intact. Free some space, then try again.
storage_error-locked =
    Another program holds the database { $path }. Close that program, then try again.
storage_error-closed = Llamero is closing, so this was not saved.
storage_error-failed =
    The database { $path } cannot be used{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Check the disk that it is on, then start again.
