### Settings: what is wrong with one, what each is for, and what fits. Every problem is one sentence.

settings_error-invalid_value = { $place } sets { $key } to { $value }, but it must be { $expected }, so { $used } is used.
settings_error-unknown_key =
    { $place } sets { $key }, which is no setting and is ignored{ GIVEN($suggestion) ->
        [yes] ; did you mean { $suggestion }?
       *[no] .
    }
settings_error-unknown_table =
    { $place } has the table [{ $key }], which is none of Llamero's and is ignored{ GIVEN($suggestion) ->
        [yes] ; did you mean [{ $suggestion }]?
       *[no] .
    }
settings_error-unknown_variable =
    The environment variable { $key } is no setting and is ignored{ GIVEN($suggestion) ->
        [yes] ; did you mean { $suggestion }?
       *[no] .
    }
settings_error-more_unknown = { $place } has { $count } more tables and keys that are unknown and ignored.
settings_error-not_a_table = { $place } sets { $key } to { $value }, but it must be a table that begins with [{ $key }], so its defaults are used.
settings_error-invalid_toml =
    { $path } is not valid TOML{ GIVEN($line) ->
        [yes] { " " }at line { $line }, column { $column }
       *[no] { "" }
    } ({ $reason }), so nothing in it is used; correct it and start again.
settings_error-not_utf8 =
    { $path } is not UTF-8 text{ GIVEN($line) ->
        [yes] { " " }at line { $line }
       *[no] { "" }
    }, so nothing in it is used; save it as UTF-8.
settings_error-too_large = { $path } is larger than { $limit } KB, so nothing in it is used; keep only settings in it.
settings_error-not_a_file = { $path } is not a regular file, so nothing in it is used; put a text file there.
settings_error-unreadable = { $path } cannot be read ({ $reason }), so nothing in it is used; check its permissions.

settings_error-mend_first = { $path } is not valid, so nothing is written into it. Correct it, or remove it, then try again.
settings_error-not_written = { $path } could not be written: { $reason }.
settings_error-only_by_hand = The page cannot choose a program to be run. Write it into { $path }.
settings_error-decided_elsewhere = { $place } decides this, and is stronger than the file.
settings_error-does_not_fit = This needs { $expected }.
settings_error-no_such_setting = There is no setting { $key }.

## How a value is named that is too long to show

settings-value-table = a table
settings-value-list = { $count ->
    [0] an empty list
    [one] a list of one value
   *[other] a list of { $count } values
}
settings-value-huge = a very large number
settings-place-command-line = The command line

## What fits

settings-expected-integer = a whole number from { $low } to { $high }
settings-expected-number = a number from { $low } to { $high }
settings-expected-boolean = true or false
settings-expected-text = a text without control characters
settings-expected-name = a name of letters, digits, dots, hyphens and underscores
settings-expected-host = a host name or address without a port
settings-expected-list-text = a list of texts
settings-expected-list-flags = a list of engine flags, such as ["--ctx-size 8192"]
settings-expected-list-folders = a list of folders, such as ["/srv/models"]
settings-expected-list-host = a list of host names or addresses, such as ["desk.lan"]
settings-expected-list-origin = a list of origins, such as ["http://desk.lan:8080"]

## The template

settings-template-header =
    Llamero's settings. Every line is optional: remove the leading # to set a value of your own.
    The command line is stronger than environment variables, and those are stronger than this file.
settings-template-accepts = { $variable }: { $expected }

settings-table-engine = Which llama-server is used, and what every model is started with.
settings-table-servers = How many models stay loaded, for how long, and how much may wait.
settings-table-gateway = Where other programs reach Llamero.
settings-table-remote = How servers elsewhere are reached.
settings-table-models = Where model files are looked for.
settings-table-metrics = How often the hardware is read.
settings-table-inspector = What of requests is kept in memory for the view Requests.
settings-table-desktop = How Llamero lives beside other programs.
settings-table-updates = Whether Llamero looks for newer releases.
settings-table-responses = How much is kept of what programs ask by /v1/responses.

setting-engine-path = Path of a llama-server executable. Empty: an installed one, one on PATH, or one that came with Llamero.
setting-engine-variant = Name of the engine variant to use: an installed one, one that came with Llamero, or embedded. Empty: the best one for this machine.
setting-engine-arguments = Flags that every model is started with.
setting-engine-variant_arguments = Flags for the engine variant in use. They are stronger than those above; a model's own are stronger still.
setting-engine-start_timeout_s = Seconds without output or progress after which a start has failed.
setting-engine-stop_grace_s = Seconds that an engine has to end by itself before it is killed.

setting-servers-max_loaded = How many models stay loaded at once.
setting-servers-memory_budget_gb = Gigabytes that all loaded models may take together. 0 means no limit.
setting-servers-keep_alive_s = Idle seconds until a model is unloaded. -1 keeps it loaded, 0 unloads it at once.
setting-servers-queue_limit = How many requests may wait for a model. Further ones are told to try again.
setting-servers-concurrency = How many requests may run at once.
setting-servers-crash_limit = How many crashes within the time below stop an engine from being started again by itself.
setting-servers-crash_window_s = The time for that limit, in seconds.

setting-gateway-host = Address to listen on. Anything but this machine's own loopback requires an API key.
setting-gateway-port = Port to listen on. 0 takes any free one.
setting-gateway-ollama_port = A second port for programs that expect Ollama there, which is 11434. 0 opens none.
setting-gateway-require_key = Require an API key of programs on this machine, too.
setting-gateway-allowed_hosts = Further names by which this machine may be called.
setting-gateway-allowed_origins = Web pages that may use Llamero.
setting-gateway-max_body_mb = Largest request body, in megabytes.
setting-gateway-max_streams = How many answers may be streamed at once.

setting-remote-silence_limit_s = Seconds without a word after which another server is given up.
setting-remote-proxies_from_environment = Whether other servers are reached through the proxies that HTTP_PROXY and HTTPS_PROXY name.

setting-models-folders = Folders in which model files are looked for, besides the cache of Hugging Face's hub. Empty: "models" in the data directory.

setting-metrics-idle_interval_s = Seconds between readings while nobody looks.
setting-metrics-active_interval_s = Seconds between readings while somebody looks or a model answers.

setting-inspector-content = Whether what requests and answers say is kept, or only how they went.
setting-inspector-max_requests = How many requests are kept. 0 keeps none.
setting-inspector-max_mb = Megabytes that what they say may take at most. Beyond that the oldest goes first.

setting-responses-keep_days = Days without a new answer after which a conversation is forgotten.
setting-responses-max_mb = Megabytes that are kept at most. Beyond that the oldest conversations go first.

setting-desktop-close_to_tray = Whether closing the window leaves Llamero running in the tray. Without a tray it ends.
setting-desktop-start_at_login = Whether Llamero starts when you log in, in the tray where there is one.
setting-desktop-notify = Whether you are told when a long answer or a download ends while you do not see the window.
setting-desktop-notify_after_s = Seconds that an answer must take to be told.

setting-updates-check = Whether Llamero asks once a day whether there is a newer release. It never installs one.

## What a setting is called in the window

setting-label-engine-path = Engine
setting-label-engine-variant = Engine variant
setting-label-engine-arguments = Arguments for every model
setting-label-engine-variant_arguments = Arguments for the variant
setting-label-engine-start_timeout_s = Start has failed after
setting-label-engine-stop_grace_s = Time to end
setting-label-servers-max_loaded = Models loaded at once
setting-label-servers-memory_budget_gb = Memory for models
setting-label-servers-keep_alive_s = Keep loaded for
setting-label-servers-queue_limit = Requests that may wait
setting-label-servers-concurrency = Requests at once
setting-label-servers-crash_limit = Crashes until given up
setting-label-servers-crash_window_s = Crashes count for
setting-label-gateway-host = Address
setting-label-gateway-port = Port
setting-label-gateway-ollama_port = Port for Ollama's clients
setting-label-gateway-require_key = Key needed on this machine
setting-label-gateway-allowed_hosts = Names of this machine
setting-label-gateway-allowed_origins = Web pages let in
setting-label-gateway-max_body_mb = Largest request
setting-label-gateway-max_streams = Streams at once
setting-label-remote-silence_limit_s = Other servers may be silent for
setting-label-remote-proxies_from_environment = Use the system's proxies
setting-label-models-folders = Folders with models
setting-label-metrics-idle_interval_s = Read the hardware every
setting-label-metrics-active_interval_s = … while it is watched, every
setting-label-inspector-content = Keep what is said
setting-label-inspector-max_requests = Requests kept
setting-label-inspector-max_mb = Memory for them
setting-label-desktop-close_to_tray = Close to the tray
setting-label-desktop-start_at_login = Start at login
setting-label-desktop-notify = Notifications
setting-label-desktop-notify_after_s = Answers longer than
setting-label-updates-check = Look for updates
setting-label-responses-keep_days = Keep responses for
setting-label-responses-max_mb = Space for responses
