### What `llamero doctor` looked at, what it found and what to do.

doctor-title = Llamero { $version } with Python { $python } on { $system }
doctor-all-well = Everything is all right.
doctor-summary = { $problems ->
        [0] No problems
        [one] One problem
       *[other] { $problems } problems
    }{ $warnings ->
        [0] .
        [one] , one warning.
       *[other] , { $warnings } warnings.
    }

doctor-engine = Engine
doctor-flags = Engine flags
doctor-processor = Processor
doctor-gpu = GPU
doctor-memory = Memory
doctor-data = Data
doctor-port = Port
doctor-settings = Settings
doctor-database = Database
doctor-keys = Keys

doctor-failed = This could not be looked at ({ $kind }).
doctor-unknown = The system does not say.

doctor-engine-found = { $kind ->
        [settings] { $path } as set in the settings
        [installed] installed variant { $variant }
        [path] { $path } found on PATH
        [bundled] variant { $variant } that came with Llamero
       *[embedded] embedded
    }, { $version }
doctor-engine-passed_over-advice = Install what it lacks, or choose another engine by engine.variant or engine.path in the settings.
doctor-flags-understood = { $flags }

doctor-processor-is = { $machine }, { $cores ->
        [one] one core
       *[other] { $cores } cores
    }{ GIVEN($features) ->
        [yes] , { $features }
       *[no] { "" }
    }
doctor-processor-advice = This processor lacks AVX2, which ready-made engines need. Build llama-server on this machine and set engine.path to it.
doctor-processor-faster = The embedded engine does not use AVX-512; a llama-server built for this machine may be half as fast again.

doctor-gpu-is = { $name }{ GIVEN($memory) ->
        [yes] , { $memory }
       *[no] { "" }
    }
doctor-gpu-note = { $note }
doctor-gpu-unused = The engine in use cannot use a GPU, so models run on the processor.
doctor-gpu-advice = Install a llama-server built for this GPU and set engine.path to it.
doctor-gpu-trouble-advice = Models may still run on it. Check the GPU's driver.

doctor-memory-is = { $available } of { $total } available
doctor-memory-advice = Close other programs, or choose a small model.

doctor-data-is = { $path }{ GIVEN($free) ->
        [yes] , { $free } free
       *[no] { "" }
    }
doctor-data-advice = Free some space, or choose another place with --data-dir.

doctor-port-free = { $port } is free
doctor-port-any = any free one, as set in the settings
doctor-port-ours = { $port } is in use by Llamero itself
doctor-port-advice = Llamero will listen on the next free port and say which.

doctor-settings-read = { $path }
doctor-settings-none = There is no { $path }, so everything has its default.
doctor-settings-advice = Correct it in { $path }.

doctor-database-is = SQLite { $version }, with write-ahead log and full-text search
doctor-database-usable = { $path } can be read and written.
doctor-database-no-search = SQLite { $version } has no full-text search (FTS5).
doctor-database-no-log = SQLite { $version } cannot keep a write-ahead log in the data directory.
doctor-database-advice = Use a Python whose SQLite has FTS5, as that of python.org has.
doctor-database-log-advice = Choose a data directory on a local disk with --data-dir.

doctor-keys-keyring = The keys of remote servers are kept in the system's keyring.
doctor-keys-file = There is no system keyring here, so the keys of remote servers are kept unencrypted in { $path }, for this user alone.

bundle-written = Written for a bug report: { $path }
bundle-look = Look through it before you send it. It has no keys, no conversations, and your home folder is "~".
bundle-read_me = A report of Llamero, made with "llamero doctor --bundle". Keys are replaced by ***, the home folder by ~, and lines of the log that may hold what was written are left out. No conversation is in it.
bundle-doctor = what the doctor found
bundle-versions = versions of Llamero, Python, the system and packages
bundle-settings = every setting and where it came from
bundle-engine = the engine, its version and devices
bundle-database = the database's version and number of rows, nothing of what is in them
bundle-llamero = the last 2 MB of the log
bundle_error-exists = { $path } is there already. Choose another name.
bundle_error-unwritable = { $path } cannot be written{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }.
