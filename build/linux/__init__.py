"""What makes Linux packages of the bundle: desktop integration, `.deb`, tar.gz, AppDir. `build/package.py` calls it."""
