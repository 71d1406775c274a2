### Aliases: what cannot be kept, and what to do.

alias_error-invalid = This alias cannot be kept: { $reason }.
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
