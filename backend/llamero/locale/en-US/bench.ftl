### How fast models are: what `llamero bench` says.

bench_error-embeds = { $model } makes embeddings and writes no text, so its speed cannot be measured here. Choose a model that chats.
bench_error-running = { $model } is being measured. Wait until that is done, or stop it.
bench_error-not_found = There is no bench of that number. List them with: llamero bench --list
bench_error-said_nothing = { $model } answered without a word, so nothing could be measured. Try another model.
bench_error-no_room = The context of { $model } is too short for even the shortest prompt of a bench. Give it a longer one.
bench_error-which_model = Several models are known, so name the ones to measure: { $names }
bench_error-no_model = There is no model to measure. Put a GGUF file into the models folder, or make an alias for one.

bench-loading = Loading and warming up { $model } …
bench-measuring = { $done } of { $planned }: { $tokens } tokens, { $streams ->
        [one] one stream
       *[other] { $streams } streams
    }, round { $round } of { $rounds } …
bench-stopped = Stopped. { $done ->
        [0] Nothing was measured.
        [one] One of { $planned } cases was measured, and is kept.
       *[other] { $done } of { $planned } cases were measured, and are kept.
    }
bench-none = No model has been measured yet. Measure one with: llamero bench ALIAS
bench-compared = Compared with { $when }: { $differences }
bench-same = the same engine, arguments and machine
bench-differs = not the same { $what }
bench-difference-file = file
bench-difference-hardware = hardware
bench-difference-engine = engine
bench-difference-arguments = arguments
bench-difference-place = place
bench-remote = measured end to end, network and waiting included
bench-no-arguments = no arguments
bench-no-gpu = no GPU
bench-cores = { $cores ->
        [one] one core
       *[other] { $cores } cores
    }
bench-column-prompt = PROMPT
bench-column-streams = STREAMS
bench-column-read = READ TOK/S
bench-column-written = WRITE TOK/S
bench-column-all = ALL STREAMS
bench-column-first = FIRST TOKEN
bench-column-number = NUMBER
bench-column-when = WHEN
bench-column-model = MODEL
bench-column-engine = ENGINE
