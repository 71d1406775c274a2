### What the window and the browser tab are told.

access_error-token_expired = This page belongs to an earlier start of Llamero. Open Llamero again, or use the address that it printed.

bridge_error-unknown_command = Llamero has no command { $command }. Reload the page.
bridge_error-not_started = { $reason }
bridge_error-not_available = { $command } is available in Llamero's own window only.
bridge_error-unknown_field = '{ $param }' is not known here.
bridge_error-wrong_argument =
    '{ $param }' cannot be used{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }.
bridge_error-no_such_blob = This upload has expired. Upload the file again.
bridge_error-blobs_full = There are too many uploads at once. Wait until they are used, then upload again.
bridge_error-link_not_allowed = This link is not opened: only http, https and mailto links without a password are.
bridge_error-no_browser = No browser could be started on this machine. Copy the link instead.
bridge_error-no_log_file = There is no log at { $path } yet.
bridge_error-no_text_program = No program for text could be started on this machine. The log is { $path }.
bridge_error-no_interface = The interface is not built: { $path } is missing. Run "make app" in the source folder, or install Llamero again.
bridge_error-projector = { $path } is a part of another model, which cannot be run alone. Choose the model's own file.
