### Why an engine ended, as told by its exit status and its last lines. Each is one sentence in lower case that says
### what to do; it fills the reason of messages such as server_error-startup_error.

exit-file_missing = the model file could not be opened; check that it still exists and may be read
exit-not_gguf = the file is not a GGUF model; choose another file
exit-corrupt = the model file is damaged or incomplete; download it again
exit-unknown_architecture = the engine does not know the model architecture{ GIVEN($name) ->
        [yes] { " " }'{ $name }'
       *[no] { "" }
    }; use a newer engine or another model
exit-memory = there is not enough memory; lower the context length, stop other models or choose a smaller file
exit-gpu_memory = there is not enough GPU memory; put fewer layers on the GPU, lower the context length or choose a smaller file
exit-port = the engine could not open its port; try again
exit-invalid_argument = the engine refused the argument { $argument }; remove it from the model's or the engine's arguments
exit-missing_library = the engine lacks the library { $name }; install it or choose another engine
exit-gpu_driver = the GPU driver is missing or too old for this engine; update it or choose a CPU engine
exit-embedded_missing = the embedded engine is not installed; install the Python package xllamacpp or choose another engine
exit-assertion = the engine gave up on an internal check; another engine version or fewer custom arguments may help
exit-load_failed = the engine could not load the model; its last lines say why
exit-clean = the engine ended by itself without an error; start it again
exit-killed = the engine was killed from outside, most likely because the machine ran out of memory; lower the context length or choose a smaller model
exit-killed_out_of_memory = the system killed the engine because memory ran out; lower the context length or choose a smaller model
exit-terminated = another program asked the engine to end; start it again
exit-illegal_instruction = the processor lacks an instruction that this engine was built for; choose an engine built for this processor
exit-segmentation_fault = the engine crashed on a memory error (segmentation fault); try again, or another engine version
exit-bus_error = the engine crashed while reading the model file, which may have changed or be on a failing disk; check the file
exit-aborted = the engine aborted; its last lines say why
exit-not_startable = the system could not run the engine; check that it is executable and made for this machine
exit-signal = the engine was ended by signal { $signal }; its last lines may say why
exit-status = the engine ended with exit status { $status }{ GIVEN($line) ->
        [yes] , last saying: { $line }
       *[no] , without saying why
    }
exit-unknown = the engine ended for an unknown reason; its last lines may say why
