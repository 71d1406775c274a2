### What the command line says beside errors, and what to do about errors whose own sentence leaves that open.

app-in_browser = Open the address on the last line in a browser instead; Ctrl+C ends Llamero.
cli-surprise =
    Something unexpected happened ({ $kind }){ GIVEN($path) ->
        [yes] ; the details are in { $path }
       *[no] ; try again with --log-level debug
    }.
cli-name-hosts = Other machines are let in under the names in gateway.allowed_hosts of { $path }, and there are none yet.

cli-loading = Loading { $model } …
cli-banner =
    { $model }{ GIVEN($context) ->
        [yes] { " " }with room for { $context } tokens
       *[no] { "" }
    }. Ctrl+C stops an answer, /clear begins anew, Ctrl+D or /bye ends.
cli-leave-hint = Press Ctrl+D or type /bye to leave.
cli-cleared = The conversation begins anew.
cli-stopped = Stopped.
cli-statistics = { $tokens } tokens, { $rate } tokens/s

advice-server_error-model_not_found = check the path, or name another GGUF file.
advice-context_error-exec_not_exists = correct engine.path or engine.variant in the settings, or remove it.
advice-server_error-health_check_error = stop that program, or try again.
advice-server_error-timeout_error = try a smaller model, or raise engine.start_timeout_s in the settings.
advice-server_error-io_error = free disk space or correct the permissions, then try again.
advice-server_error-client_error = try again; the log has the details.

key-created = This is the key { $name }. It is shown this once; send it as "Authorization: Bearer KEY".
key-open_here = Programs on this machine are let in without a key; set gateway.require_key = true in the settings to change that.
key-revoked = The key { $name } lets nobody in any more.
key-none = There are no keys. Make one with: llamero key create NAME
key-column-name = NAME
key-column-start = BEGINS
key-column-scopes = FOR
key-column-rate = PER MINUTE
key-column-streams = AT ONCE
key-column-created = CREATED
key-column-used = LAST USED
key-column-expires = EXPIRES

remove-question = Remove all of this for good? Type yes:
remove-nothing = There is nothing of Llamero's in { $path }.
remove-kept = Nothing was removed.
remove-left = { $path } could not be removed; remove it by hand.
remove-keys_left = Keys of remote servers stay in the system's keyring, under { $service }: { $names }. Remove them there.
remove-keys_unknown = Which keys of remote servers are in the system's keyring is not known any more. Look there for { $service }.
remove-done = Llamero's data is removed. The program itself goes the way it came: by the package manager, or by removing its folder.
remove_error-in_use = Llamero runs with the data in { $path }. Quit it first.

control-nobody = Llamero does not run with the data in { $path }.
control-nobody_quiet = Nothing runs.
control-nothing_runs = No model runs.
control-unreachable = The Llamero that has the data in { $path } does not answer; it may be ending.
control-which = Several models run: { $models }. Name one, or use --all.
control-held = { $model } is loaded as soon as another model has made room for it.
control-stopped = { $model } is stopped.
control-skipped = … { $count } lines left out
control-column-model = MODEL
control-column-state = STATE
control-column-pid = PID
control-column-uptime = UP
control-column-leases = REQUESTS
control-column-waiting = WAITING
control-column-memory = MEMORY
