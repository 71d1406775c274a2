### Aliases: what cannot be kept, and what to do.

alias_error-invalid = This alias cannot be kept: { $reason }.
alias_error-characters = The { $field } has characters that it cannot have, or is empty or too long. Correct it.
alias_error-name_taken = There is an alias { $name } of another kind already. Choose another name, or remove that one first.
alias_error-not_found = There is no alias { $name }.
alias_error-no_storage = Aliases cannot be changed here, since the database is not open.
alias_error-changed_meanwhile = Somebody else keeps changing the aliases. Try again.
alias_error-one_model = { $name } must stand for one model: give either a file or a hub file.
alias_error-relative_file = { $path } does not say where the file is. Give its whole path.
alias_error-hub_name = { $hub } is no name of a hub file. Write it as owner/repository:QUANT.
alias_error-rpc_worker = { $worker } is no address of a worker. Write it as host:port.
alias_error-default_of_request = { $parameter } is said by each request, so it cannot be a default.
alias_error-no_models = { $name } offers nothing: name its models, or forward everything with its prefix.
alias_error-prefix_needed = { $name } can only forward everything that begins with a prefix. Give it one.
alias_error-prefix = A prefix cannot begin with a space.
alias_error-managed_header = The header { $header } is set by Llamero. Leave it out; a key belongs into the key's own place.
alias_error-url = A remote address begins with http:// or https:// and a host, and has neither a query nor a fragment.
alias_error-url_credentials = A remote address must not hold a name or password. Leave it out, and give the key by itself.
alias_error-target_itself = { $name } cannot be a target of itself. Remove it from its targets.
alias_error-target_twice = { $name } names a target twice. Leave one out.
alias_error-target_cycle = The targets of { $name } lead back to { $name }. Remove the one that does.

## What a person should know about an alias that was saved or removed

alias-saved = Saved the alias { $name }. It counts from the next request on.
alias-removed = Removed the alias { $name }.
alias-none = There are no aliases. Make one with: llamero alias set NAME --file FILE
alias-targets_unknown = So far there is nothing called { $names }.
alias-file_missing = So far there is no model { $file }.
alias-key_in_file = This system has no keyring that can be used, so the key is in a file that only you can read.
alias-key_forgotten = The key of { $name } was forgotten, since it was given for another address. Give the key once more.
alias-target_answered = it answered { $status }
alias-still_target = { $name } is still a target of { $fallbacks }.

## At the command line

alias_error-default_form = { $text } is no default. Write it as KEY=JSON, such as temperature=0.7 or stop='["END"]'.
alias_error-header_form = { $text } is no header. Write it as NAME: VALUE.
alias-column-name = NAME
alias-column-kind = KIND
alias-column-leads = LEADS TO
