### What went wrong, why if known, and what to do. One message for each error code.
###
### GIVEN($name) is "yes" when the caller knows that argument. Numbers have no thousands separators unless
### NUMBER($name, useGrouping: 1) asks for them.

# Stands for an argument that the program did not fill in.
argument-missing = unknown

internal_error =
    Something inside Llamero went wrong{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. The log has the details.

## Servers and the engine. Lower case, since these are read inside other sentences and by other programs.

server_error-server_not_ready = server not ready: the server process has not completed initialization
server_error-startup_error = failed to start server: { $reason }
server_error-health_check_error = server health check failed: { $reason }
server_error-timeout_error = server health check timed out after { $seconds } seconds
server_error-model_not_found = model file does not exist: { $path }
server_error-io_error = input/output error: { $reason }
server_error-client_error = error connecting to internal service: { $reason }
server_error-model_does_not_embed = model '{ $model }' does not produce embeddings
server_error-model_does_not_generate = this model makes embeddings and writes no text. Choose a model that chats.
context_error-exec_not_exists = executable file does not exist: { $path }
model_router_error-model_not_found = model '{ $model }' not found

rpc_error-unreachable =
    The machine { $worker }, which should share the model, does not answer ({ $reason }). Start llama.cpp's rpc-server there, or take it out of the alias.

server_error-queue_full = Too many requests are waiting for a model. Try again in a moment.
server_error-stopped_by_user = The model was stopped while this request waited for it or was being answered.
server_error-shutting_down = Llamero is shutting down and takes no new requests.
server_error-crash_loop =
    The engine crashed several times in a row, so it is not started again by itself{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Read its last lines, then start the model again.
server_error-insufficient_memory =
    The model does not fit into memory{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Stop another model, lower the context length or choose a smaller file.
server_error-recovery_disagrees =
    The engine ended in mid-answer, and a fresh one did not repeat what had already been sent. Ask again.
server_error-engine_crashed =
    The engine ended unexpectedly{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }.

context_error-exec_not_executable =
    This file cannot be run as an engine: { $path }. Choose a llama-server executable and make it executable.
engine_error-cpu_without_avx2 =
    The embedded engine needs a processor with AVX2, which this one lacks. Install llama-server for this machine and set engine.path to it.
engine_error-xllamacpp_missing =
    The embedded engine is not installed{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Install the Python package xllamacpp, or set engine.path to a llama-server executable.
engine_error-passed_over =
    The engine { $variant } that came with Llamero does not start on this machine: { $reason }. The embedded engine is used instead.
engine_error-help_failed =
    The engine { $path } did not say which flags it knows{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Check that it is a llama-server executable for this machine.

## Engine flags

# Where the flag was written; $tier is empty when that is not known.
args-place = { $tier ->
    [settings] { " " }in engine.arguments
    [variant] { " " }in engine.variant_arguments
    [alias] { " " }among the model's own arguments
   *[other] { "" }
}
args_error-unknown_flag =
    The engine does not know the flag { $argument }{ args-place }. { GIVEN($suggestion) ->
        [yes] Did you mean { $suggestion }?
       *[no] Remove it, or choose an engine that knows it.
    }
args_error-orphan = "{ $argument }"{ args-place } belongs to no flag. Put it behind the flag that it is meant for, or remove it.
args_error-missing_value = The flag { $argument }{ args-place } needs a value. Add one behind it.
args_error-too_many_values =
    The flag { $argument }{ args-place } takes fewer values{ GIVEN($value) ->
        [yes] : "{ $value }" is too many
       *[no] { "" }
    }. Put a value with spaces in quotes, or remove the rest.
args_error-managed_flag = The flag { $argument }{ args-place } is set by Llamero itself. Remove it.
args_error-nul_character = The engine argument { $argument } has a NUL character, which no argument can hold. Remove it.
args_error-unclosed_quote = A quote is opened but not closed in { $argument }. Close it.

## Model files

model_file_error-invalid =
    The model file cannot be used: { $path }{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Choose another file.
model_file_error-directory = This is a directory, not a model file: { $path }. Choose a .gguf file in it.
model_file_error-unreadable =
    The model file cannot be read: { $path }{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Check its permissions.
model_file_error-empty = The model file is empty: { $path }. Download it again.
model_file_error-not_gguf = This is not a GGUF model file: { $path }. Choose a file in the GGUF format.
model_file_error-unsupported_version =
    The model file has a GGUF version that Llamero does not know: { $path }{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Update Llamero or choose another file.
model_file_error-corrupt =
    The model file is damaged or incomplete: { $path }{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Download it again.

## Requests

request_error-invalid =
    The request cannot be understood{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }.
request_error-not_found = There is nothing at { $path }.
request_error-too_large = The request body is larger than the limit of { NUMBER($limit, useGrouping: 1) } bytes. Send less.
request_error-headers_too_large = A request header is larger than the limit of { NUMBER($limit, useGrouping: 1) } bytes. Send less.
request_error-not_json =
    The request body is not valid JSON{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }.
request_error-too_deep = The request body nests deeper than { $limit } levels. Flatten it.
request_error-repeated_header = The header { $header } was sent more than once. Send it once.
request_error-missing_param = '{ $param }' is required.
request_error-wrong_type = '{ $param }' must be { $expected }.
request_error-unsupported =
    { GIVEN($value) ->
        [yes] '{ $param }' cannot be "{ $value }" here
       *[no] '{ $param }' is not supported here
    }. Leave it out.
request_error-out_of_range = '{ $param }' must be from { $minimum } to { $maximum }.
request_error-model_not_loaded = The model '{ $model }' is not loaded. Send it a request first, or add autoload=true.
request_error-form = The form cannot be read: { $reason }.
request_error-not_fetched = '{ $param }' is an address, and Llamero fetches nothing for a request. Send what is there instead, in base64.
request_error-cannot_count_tokens = The server of the model '{ $model }' cannot count tokens. Count them for a model on this machine.
request_error-text_too_long = A text has { $tokens } tokens, but the model takes { $limit } at once. Split the text, or give the model a larger --ubatch-size.
request_error-unknown_token = '{ $param }' has a token that the model does not know.
request_error-content_type = This route does not read bodies of the type { $content_type }. Send application/json.
request_error-method_not_allowed = The method { $method } is not allowed here.
request_error-too_slow = The request did not arrive within { $seconds } seconds. Send it again.

## Access

access_error-invalid_api_key = The API key is wrong. Send the right one as "Authorization: Bearer KEY".
access_error-missing_api_key = An API key is required. Send it as "Authorization: Bearer KEY".
access_error-forbidden =
    This client is not let in{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }.
access_error-forbidden_host = The host name { $host } is not one of this server's. Use 127.0.0.1, or add the name to gateway.allowed_hosts.
access_error-forbidden_origin = Pages of { $origin } may not use this server. Add the origin to gateway.allowed_origins to let them in.
access_error-forbidden_site = A page of another site may not use this server.
access_error-scope = The API key { $name } is not for { $scope }. Use one that was created with --scope { $scope }.
access_error-key_revoked = The API key { $name } was revoked. Create another.
access_error-key_expired = The API key { $name } has expired. Create another.
access_error-key_rate_limited = The API key's limit of { $limit } requests per minute is reached. Try again later.
access_error-key_streams_limited =
    The API key's limit of { $limit } { $limit ->
        [one] answer
       *[other] answers
    } at once is reached. Try again when one has ended.
access_error-rate_limited = There are too many requests at once. Try again in a moment.

## Data directory

data_error-directory_unwritable =
    The directory { $path } cannot be written to{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Change its permissions, or choose another one with --data-dir.
data_error-directory_unreadable =
    The directory { $path } cannot be read{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Change its permissions, or choose another one with --data-dir.
data_error-not_a_directory = { $path } is not a directory, but Llamero needs one there. Move it away, or choose another place with --data-dir.
data_error-no_home = Your home directory is unknown, so there is no place for Llamero's data. Name one with --data-dir.
data_error-in_use =
    The data directory { $path } is in use by another Llamero{ GIVEN($pid) ->
        [yes] { " " }(process { $pid })
       *[no] { "" }
    }. Stop that one, or choose another directory with --data-dir.

## Ports

port_error-in_use =
    Port { $port } is in use by { GIVEN($holder) ->
        [yes] { $holder }
       *[no] a program that this user may not see
    }. Stop it, or choose another port.
port_error-no_permission = Port { $port } may not be opened by this user. Choose a port above 1023.
port_error-not_local =
    { $host } is not an address of this machine{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Use 127.0.0.1, or an address that this machine has.
port-moved =
    Port { $port } is in use by { GIVEN($holder) ->
        [yes] { $holder }
       *[no] a program that this user may not see
    }, so Llamero listens on port { $used }.

## API keys

key_error-file_unreadable =
    The API key file { $path } cannot be read{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Name a file that this user may read.
key_error-file_empty = The API key file { $path } is empty. Write the key into it, on one line.
key_error-invalid = The API key in { $place } has characters that a request cannot carry. Use letters, digits and punctuation on one line, without spaces.
key_error-required_beyond_loopback =
    { $host } can be reached from other machines, so an API key is required. Make one with "llamero key create NAME", name a file with --api-key-file or set LLAMERO_API_KEY.
key_error-name_taken = There is an API key of the name { $name } already. Revoke it, or choose another name.
key_error-invalid_name = { $name } cannot be the name of an API key. Use up to 64 letters, digits, spaces, dots, hyphens and underscores.
key_error-unknown = There is no API key of the name { $name }.
key-file-shared = Other users of this machine can read the API key file { $path }. Limit it with: chmod 600

control_error-not_running = { $model } does not run.
