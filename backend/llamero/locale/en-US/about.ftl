### What the view Settings says about the program itself.

about-engine = { $kind ->
    [settings] llama-server from the settings
    [installed] llama-server, installed by Llamero
    [path] llama-server from PATH
   *[embedded] Built in
} ({ $variant }), { $version }

about_error-no_such_license = Nothing called { $name } is part of Llamero.
about_error-no_such_place = { $path } is not there yet.
about_error-no_file_program = No program could be started to show { $path }.
