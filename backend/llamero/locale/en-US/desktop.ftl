### The window and what is around it.

## The menu of the icon in the tray

tray-show = Show Llamero
tray-new_chat = New chat
tray-stop_servers = Stop all servers
tray-quit = Quit

## Notifications. They are seen by whoever passes, so they do not say what an answer says.

notification-answered = The answer is ready.
notification-failed = The answer could not be finished.
notification-downloaded = The download is complete.

## Why there is no window. Each is followed by the address at which a browser shows the same page.

window-no_display = There is no display to open a window on.
window-no_toolkit = No window toolkit is installed. Install the Python packages PySide6_Addons and QtPy; or, on Debian and Ubuntu, python3-gi gir1.2-gtk-3.0 gir1.2-webkit2-4.1.
window-unknown_toolkit = LLAMERO_GUI is "{ $name }", but only "qt" and "gtk" are known. Correct it, or remove it.
window-missing_library =
    The window needs the library { $library }, which this system lacks. { GIVEN($package) ->
        [yes] On Debian and Ubuntu: apt install { $package }.
       *[no] Install the package that has it.
    }
window-no_sandbox = This system does not let the window's browser shut itself in, so the window is not opened. Install the system's own browser component instead (Debian and Ubuntu: python3-gi gir1.2-webkit2-4.1).
window-failed = The window could not be opened: { $reason }.
