; Installer for Windows. build/windows/installer.py compiles it, with makensis of any system, and defines:
;   NAME PUBLISHER         of build/identity.py
;   VERSION VERSION_FOUR   as people read it, and as four numbers
;   BUNDLE ICON            the folder that PyInstaller made; the .ico
;   CONTENTS               a script with two macros, made of the bundle: InstallFiles and RemoveFiles
;   SIZE_KB OUTPUT         what it takes on the disk; the installer's own file
;   WEBVIEW2_SETUP         Microsoft's bootstrapper, optional
;
; Command line: /S silent · /ALLUSERS for everybody, started as administrator · /D=FOLDER (last, without quotes)
; Uninstaller:  /S silent · /PURGE deletes chats, settings and models, too · /UPGRADE a newer version follows
; Exit status:  0 done · 1 left by the person · 2 refused, with the reason in a box when not silent

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
RequestExecutionLevel user
ManifestDPIAware true
ManifestSupportedOS all

!include "MUI2.nsh"
!include "LogicLib.nsh"
!include "FileFunc.nsh"
!include "WordFunc.nsh"
!include "WinVer.nsh"
!include "x64.nsh"
!include "${CONTENTS}"

!define PROGRAM "llamerow.exe"
!define CONSOLE_PROGRAM "llamero.exe"
!define FILE_CLASS "Llamero.gguf"
!define UNINSTALLER "Uninstall Llamero.exe"
!define CURRENT_VERSION "Software\Microsoft\Windows\CurrentVersion"
!define UNINSTALL_KEY "${CURRENT_VERSION}\Uninstall\${NAME}"
!define APP_PATH_KEY "${CURRENT_VERSION}\App Paths\${CONSOLE_PROGRAM}"
!define CAPABILITIES_KEY "Software\${NAME}\Capabilities"
; https://learn.microsoft.com/microsoft-edge/webview2/concepts/distribution#detect-if-a-webview2-runtime-is-already-installed
!define WEBVIEW2_CLIENT "Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
; SHChangeNotify(SHCNE_ASSOCCHANGED, SHCNF_IDLIST): Explorer reads the kinds of files again.
!define TELL_EXPLORER `System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'`

Name "${NAME}"
OutFile "${OUTPUT}"
BrandingText "${NAME} ${VERSION}"
VIProductVersion "${VERSION_FOUR}"
VIFileVersion "${VERSION_FOUR}"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${NAME} installer"
VIAddVersionKey "CompanyName" "${PUBLISHER}"
VIAddVersionKey "LegalCopyright" "${PUBLISHER}, MIT license"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${PROGRAM}"
!define MUI_FINISHPAGE_RUN_TEXT "Open ${NAME}"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

LangString NeedsWindows ${LANG_ENGLISH} "${NAME} needs 64-bit Windows 10 or later."
LangString NeedsRights ${LANG_ENGLISH} "Installing for everybody needs an administrator. Start the installer as administrator, or without /ALLUSERS."
LangString IsRunning ${LANG_ENGLISH} "${NAME} is running. Close it, also in the notification area, then choose Retry."
LangString IsNewer ${LANG_ENGLISH} "A newer version is installed. An older one may not read what it has written. Install ${VERSION} anyway?"
LangString OldStays ${LANG_ENGLISH} "The installed version could not be removed. Remove it in the Windows settings, then install again."
LangString NoWebView2 ${LANG_ENGLISH} "Microsoft's WebView2 Runtime, which shows ${NAME}'s window, is missing. Get it from https://go.microsoft.com/fwlink/p/?LinkId=2124703. Until then, ${NAME} opens in your browser."
LangString PurgeText ${LANG_ENGLISH} "Chats, settings and models in your own folder. Without this they stay for the next installation."

Var ForAll
Var DataFolder

; ForAll, and with it the registry and the folders that SHCTX and $SMPROGRAMS mean.
!macro SetScope
  SetRegView 64
  StrCpy $DataFolder "$LOCALAPPDATA\${NAME}"
  ${If} $ForAll == 1
    SetShellVarContext all
  ${Else}
    SetShellVarContext current
  ${EndIf}
!macroend

; A program that runs cannot be opened for writing. It is every role of Llamero, so this also finds its engines.
!macro WaitUntilClosed
  StrCpy $1 0
  ${Do}
    StrCpy $2 0
    !insertmacro LookWhetherRunning "${PROGRAM}"
    !insertmacro LookWhetherRunning "${CONSOLE_PROGRAM}"
    ${If} $2 == 0
      ${ExitDo}
    ${EndIf}
    ${If} ${Silent}
      ; Who closes it and starts us at once should not be refused: up to ten seconds for it to end.
      IntOp $1 $1 + 1
      ${If} $1 > 40
        SetErrorLevel 2
        Quit
      ${EndIf}
      Sleep 250
    ${Else}
      ${IfNot} ${Cmd} `MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(IsRunning)" IDRETRY`
        SetErrorLevel 1
        Quit
      ${EndIf}
    ${EndIf}
  ${Loop}
!macroend

!macro LookWhetherRunning PROGRAM_NAME
  ${If} ${FileExists} "$INSTDIR\${PROGRAM_NAME}"
    ClearErrors
    FileOpen $0 "$INSTDIR\${PROGRAM_NAME}" a
    ${If} ${Errors}
      StrCpy $2 1
    ${Else}
      FileClose $0
    ${EndIf}
  ${EndIf}
!macroend

Function .onInit
  StrCpy $ForAll 0
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/ALLUSERS" $1
  ${IfNot} ${Errors}
    StrCpy $ForAll 1
  ${EndIf}
  !insertmacro SetScope

  ${IfNot} ${RunningX64}
  ${OrIfNot} ${AtLeastWin10}
    MessageBox MB_OK|MB_ICONSTOP "$(NeedsWindows)" /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  ${If} $ForAll == 1
    UserInfo::GetAccountType
    Pop $0
    ${If} $0 != "Admin"
      MessageBox MB_OK|MB_ICONSTOP "$(NeedsRights)" /SD IDOK
      SetErrorLevel 2
      Quit
    ${EndIf}
  ${EndIf}

  ; /D= decides, then where it is installed already, then where this system expects it.
  ${If} $INSTDIR == ""
    ReadRegStr $INSTDIR SHCTX "${UNINSTALL_KEY}" "InstallLocation"
  ${EndIf}
  ${If} $INSTDIR == ""
    ${If} $ForAll == 1
      StrCpy $INSTDIR "$PROGRAMFILES64\${NAME}"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\${NAME}"
    ${EndIf}
  ${EndIf}

  ReadRegStr $0 SHCTX "${UNINSTALL_KEY}" "DisplayVersion"
  ${If} $0 != ""
    ${VersionCompare} "$0" "${VERSION}" $1
    ${If} $1 == 1
    ${AndIfNot} ${Cmd} `MessageBox MB_YESNO|MB_ICONQUESTION "$(IsNewer)" /SD IDNO IDYES`
      SetErrorLevel 2
      Quit
    ${EndIf}
  ${EndIf}
FunctionEnd

; What an older version put there and this one has not would stay for ever, so its own uninstaller takes it away first.
Function RemoveOlder
  ReadRegStr $0 SHCTX "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $0 == ""
  ${OrIfNot} ${FileExists} "$0\${UNINSTALLER}"
    Return
  ${EndIf}
  ClearErrors
  ; _?= keeps it from copying itself elsewhere and returning at once; it is last, and takes no quotes.
  ExecWait '"$0\${UNINSTALLER}" /S /UPGRADE _?=$0' $1
  ${If} ${Errors}
  ${OrIf} $1 != 0
    MessageBox MB_OK|MB_ICONSTOP "$(OldStays)" /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  Delete "$0\${UNINSTALLER}"
  RMDir "$0"
FunctionEnd

; Sets $0 to the runtime's version; empty when there is none.
Function FindWebView2
  ReadRegStr $0 HKLM "SOFTWARE\WOW6432Node\${WEBVIEW2_CLIENT}" "pv"
  ${If} $0 == ""
  ${OrIf} $0 == "0.0.0.0"
    ReadRegStr $0 HKCU "Software\${WEBVIEW2_CLIENT}" "pv"
  ${EndIf}
  ${If} $0 == "0.0.0.0"
    StrCpy $0 ""
  ${EndIf}
FunctionEnd

Section "-WebView2"
  Call FindWebView2
  ${If} $0 != ""
    DetailPrint "WebView2 Runtime $0"
  ${Else}
!ifdef WEBVIEW2_SETUP
    DetailPrint "Installing Microsoft's WebView2 Runtime"
    InitPluginsDir
    File "/oname=$PLUGINSDIR\MicrosoftEdgeWebview2Setup.exe" "${WEBVIEW2_SETUP}"
    ExecWait '"$PLUGINSDIR\MicrosoftEdgeWebview2Setup.exe" /silent /install'
    Call FindWebView2
!endif
    ${If} $0 == ""
      DetailPrint "$(NoWebView2)"
      MessageBox MB_OK|MB_ICONINFORMATION "$(NoWebView2)" /SD IDOK
    ${EndIf}
  ${EndIf}
SectionEnd

Section "-${NAME}"
  !insertmacro WaitUntilClosed
  Call RemoveOlder
  !insertmacro InstallFiles
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\${UNINSTALLER}"
  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${PROGRAM}"

  WriteRegStr SHCTX "${APP_PATH_KEY}" "" "$INSTDIR\${CONSOLE_PROGRAM}"

  WriteRegStr SHCTX "Software\Classes\${FILE_CLASS}" "" "GGUF language model"
  WriteRegStr SHCTX "Software\Classes\${FILE_CLASS}\DefaultIcon" "" "$INSTDIR\${PROGRAM},0"
  WriteRegStr SHCTX "Software\Classes\${FILE_CLASS}\shell\open\command" "" '"$INSTDIR\${PROGRAM}" --model "%1"'
  WriteRegStr SHCTX "Software\Classes\.gguf\OpenWithProgids" "${FILE_CLASS}" ""
  ; Whoever has another program for these files keeps it, and finds Llamero under "Open with" and in the settings.
  ReadRegStr $0 HKCU "Software\Classes\.gguf" ""
  ReadRegStr $1 HKLM "Software\Classes\.gguf" ""
  ${If} "$0$1" == ""
    WriteRegStr SHCTX "Software\Classes\.gguf" "" "${FILE_CLASS}"
  ${EndIf}
  WriteRegStr SHCTX "${CAPABILITIES_KEY}" "ApplicationName" "${NAME}"
  WriteRegStr SHCTX "${CAPABILITIES_KEY}" "ApplicationDescription" "Run language models on your own machine"
  WriteRegStr SHCTX "${CAPABILITIES_KEY}\FileAssociations" ".gguf" "${FILE_CLASS}"
  WriteRegStr SHCTX "Software\RegisteredApplications" "${NAME}" "${CAPABILITIES_KEY}"
  ${TELL_EXPLORER}

  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${PROGRAM},0"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "${PUBLISHER}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\${UNINSTALLER}"'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\${UNINSTALLER}" /S'
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1
SectionEnd

Section "un.${NAME}"
  SectionIn RO
  !insertmacro WaitUntilClosed
  !insertmacro RemoveFiles
  Delete "$SMPROGRAMS\${NAME}.lnk"

  ReadRegStr $0 SHCTX "Software\Classes\.gguf" ""
  ${If} $0 == "${FILE_CLASS}"
    DeleteRegValue SHCTX "Software\Classes\.gguf" ""
  ${EndIf}
  DeleteRegValue SHCTX "Software\Classes\.gguf\OpenWithProgids" "${FILE_CLASS}"
  DeleteRegKey /ifempty SHCTX "Software\Classes\.gguf\OpenWithProgids"
  DeleteRegKey /ifempty SHCTX "Software\Classes\.gguf"
  DeleteRegKey SHCTX "Software\Classes\${FILE_CLASS}"
  DeleteRegValue SHCTX "Software\RegisteredApplications" "${NAME}"
  DeleteRegKey SHCTX "Software\${NAME}"
  DeleteRegKey SHCTX "${APP_PATH_KEY}"
  ${TELL_EXPLORER}

  ; What Llamero itself writes when a person has it start at login. The next version starts then, too.
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/UPGRADE" $1
  ${If} ${Errors}
    DeleteRegValue HKCU "${CURRENT_VERSION}\Run" "llamero"
  ${EndIf}
SectionEnd

Section /o "un.Chats, settings and models" Purge
  RMDir /r "$DataFolder"
SectionEnd

; Last of all: while there is anything left to remove, Windows lists Llamero and can start its uninstaller again.
Section "-un.Entry"
  Delete "$INSTDIR\${UNINSTALLER}"
  ; Only when it is empty: a folder may hold what a person put there.
  RMDir "$INSTDIR"
  DeleteRegKey SHCTX "${UNINSTALL_KEY}"
SectionEnd

!insertmacro MUI_UNFUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${Purge} "$(PurgeText)"
!insertmacro MUI_UNFUNCTION_DESCRIPTION_END

Function un.onInit
  ; An installation for everybody is written down for everybody.
  SetRegView 64
  StrCpy $ForAll 0
  ReadRegStr $0 HKLM "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $0 == $INSTDIR
    StrCpy $ForAll 1
  ${EndIf}
  !insertmacro SetScope
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    !insertmacro SelectSection ${Purge}
  ${EndIf}
FunctionEnd
