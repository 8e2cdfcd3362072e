# Reads why this machine last went down. It changes nothing and writes no file.
# Needs PowerShell 4 or later. What it prints is one packed bundle of sections.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$room = 23700        # characters: Cloud Assistant keeps 24,576 bytes and drops the middle of more
$deadline = 22       # seconds for all queries together
$clock = [Diagnostics.Stopwatch]::StartNew()
$notes = New-Object 'System.Collections.Generic.List[string]'
$culture = [Globalization.CultureInfo]::InvariantCulture

# table
$queries = @(
    @{
        Log = 'System'
        Ids = @(41, 42, 107, 109, 187, 506, 507, 577, 1073, 1074, 1076, 6005, 6006, 6008, 6009, 6013)
        Providers = @('Microsoft-Windows-Kernel-Power', 'USER32', 'EventLog')
        Asked = $false
        Most = 140
    },
    @{
        Log = 'System'
        Ids = @(12, 13, 20, 27, 29)
        Providers = @('Microsoft-Windows-Kernel-General', 'Microsoft-Windows-Kernel-Boot')
        Asked = $true
        Most = 60
    },
    @{
        Log = 'System'
        Ids = @(1001, 1005, 1018, 1019)
        Providers = @('Microsoft-Windows-WER-SystemErrorReporting', 'BugCheck', 'Save Dump')
        Asked = $false
        Most = 30
    },
    @{
        Log = 'System'
        Ids = @(45, 46, 47, 48, 49, 161, 162)
        Providers = @('volmgr')
        Asked = $true
        Most = 20
    },
    @{
        Log = 'System'
        Ids = @(2004)
        Providers = @('Microsoft-Windows-Resource-Exhaustion-Detector')
        Asked = $true
        Most = 6
    },
    @{
        Log = 'System'
        Ids = @(1, 17, 18, 19, 20, 46, 47)
        Providers = @('Microsoft-Windows-WHEA-Logger')
        Asked = $true
        Most = 8
    },
    @{
        Log = 'System'
        Ids = @(19, 20, 43)
        Providers = @('Microsoft-Windows-WindowsUpdateClient')
        Asked = $true
        Most = 16
    },
    @{
        Log = 'System'
        Ids = @(7031, 7034)
        Providers = @('Service Control Manager')
        Asked = $false
        Most = 10
    },
    @{
        Log = 'System'
        Ids = @(129, 153)
        Providers = @()
        Asked = $false
        Most = 12
    },
    @{
        Log = 'Application'
        Ids = @(1000, 1002)
        Providers = @('Application Error', 'Application Hang')
        Asked = $false
        Most = 12
    }
)
$settings = @(
    'CrashDumpEnabled',
    'FilterPages',
    'DumpFile',
    'MinidumpDir',
    'MinidumpsCount',
    'AutoReboot',
    'LogEvent',
    'Overwrite',
    'AlwaysKeepMemoryDump',
    'DedicatedDumpFile',
    'DumpFilters',
    'NMICrashDump'
)
$headerParts = @(
    @{ At = 0; Size = 160 },
    @{ At = 3840; Size = 384 }
)
# table

function Note {
    param([string]$what, $why)
    $text = [regex]::Replace([string]$why, '\s+', ' ')
    $notes.Add($what + ': ' + $text.Substring(0, [Math]::Min(200, $text.Length)))
}

function Short {
    param($value, [int]$most)
    $text = [string]$value
    return $text.Substring(0, [Math]::Min($most, $text.Length))
}

function Stamp {
    param([datetime]$moment)
    return $moment.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)
}

# One event as its XML tells it: never the message, which is in the language of the machine.
function Read-Event {
    param($found)
    $xml = [xml]$found.ToXml()
    $system = $xml.Event.System
    $named = @{}
    $plain = New-Object 'System.Collections.Generic.List[string]'
    foreach ($leaf in $xml.SelectNodes("//*[local-name()='EventData' or local-name()='UserData']//*[not(*)]")) {
        $name = $leaf.GetAttribute('Name')
        if (-not $name -and $leaf.LocalName -ne 'Data') { $name = $leaf.LocalName }
        $text = Short $leaf.InnerText 300
        if (-not $name) { $plain.Add($text) }
        elseif (-not $named.ContainsKey($name)) { $named[$name] = $text }
        elseif (-not $named.ContainsKey($name + '_2')) { $named[$name + '_2'] = $text }
    }
    if ($plain.Count -gt 0) { $named['Data'] = $plain.ToArray() }
    $id = $system.SelectSingleNode("*[local-name()='EventID']").InnerText
    return [ordered]@{
        time = $system.SelectSingleNode("*[local-name()='TimeCreated']").GetAttribute('SystemTime')
        id = [int]$id
        provider = $system.SelectSingleNode("*[local-name()='Provider']").GetAttribute('Name')
        channel = [string]$found.LogName
        record_id = [long]$found.RecordId
        data = $named
    }
}

# Finding nothing is an error to Get-WinEvent: each query stands alone.
function Find-Event {
    param($query)
    $filter = @{ LogName = $query.Log; Id = $query.Ids }
    if ($query.Asked) { $filter['ProviderName'] = $query.Providers }
    $label = $query.Log + ' ' + [string]$query.Ids
    if ($clock.Elapsed.TotalSeconds -gt $deadline) {
        Note $label 'not asked, the time for the whole run was over'
        return
    }
    try {
        foreach ($found in @(Get-WinEvent -FilterHashtable $filter -MaxEvents $query.Most)) {
            if ($query.Providers.Count -gt 0 -and $query.Providers -notcontains $found.ProviderName) { continue }
            Read-Event $found
        }
    } catch {
        if ($_.FullyQualifiedErrorId -notmatch 'NoMatchingEventsFound') { Note $label $_.Exception.Message }
    }
}

# Runs one reading; what fails is told in the section "collection", and the rest goes on.
function Ask {
    param([string]$what, [scriptblock]$reading)
    try { & $reading } catch { Note $what $_.Exception.Message }
}

function Get-Value {
    param([string]$key)
    return Get-ItemProperty -Path ('HKLM:\SYSTEM\CurrentControlSet\Control\' + $key)
}

# A dump may still be written to, so every kind of sharing is allowed.
function Read-Start {
    param([string]$path, [int]$size)
    $buffer = New-Object 'byte[]' $size
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $file = [IO.File]::Open($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, $share)
    try {
        $read = 0
        do {
            $count = $file.Read($buffer, $read, $size - $read)
            $read += $count
        } while ($count -gt 0 -and $read -lt $size)
    } finally {
        $file.Dispose()
    }
    return ,$buffer
}

function Read-Dump {
    param($file, [string]$kind, [bool]$withHeader)
    $dump = [ordered]@{
        path = $file.FullName
        kind = $kind
        size = [long]$file.Length
        modified = Stamp $file.LastWriteTimeUtc
    }
    if ($withHeader) {
        try {
            $start = Read-Start $file.FullName 8192
            $parts = [ordered]@{}
            foreach ($part in $headerParts) {
                $parts[[string]$part.At] = [Convert]::ToBase64String($start, $part.At, $part.Size)
            }
            $dump['header'] = $parts
        } catch {
            $dump['header_error'] = Short $_.Exception.Message 200
        }
    }
    return $dump
}

function Find-Dump {
    param($control)
    $windows = $env:SystemRoot
    $whole = [string]$control.DumpFile
    if (-not $whole) { $whole = $windows + '\MEMORY.DMP' }
    $folder = [string]$control.MinidumpDir
    if (-not $folder) { $folder = $windows + '\Minidump' }
    $whole = [Environment]::ExpandEnvironmentVariables($whole)
    $folder = [Environment]::ExpandEnvironmentVariables($folder)
    if ([IO.File]::Exists($whole)) { Read-Dump (New-Object IO.FileInfo $whole) 'memory' $true }
    $places = @(
        @{ Path = $folder; Kind = 'minidump'; Headers = 3 },
        @{ Path = ($windows + '\LiveKernelReports'); Kind = 'live'; Headers = 0 }
    )
    foreach ($place in $places) {
        if (-not [IO.Directory]::Exists($place.Path)) { continue }
        $files = @()
        try {
            $files = (New-Object IO.DirectoryInfo $place.Path).GetFiles('*.dmp')
        } catch {
            Note 'dumps' $_.Exception.Message
            continue
        }
        $number = 0
        foreach ($file in @($files | Sort-Object -Property LastWriteTimeUtc -Descending | Select-Object -First 5)) {
            Read-Dump $file $place.Kind ($number -lt $place.Headers)
            $number += 1
        }
        $record['dump_counts'][$place.Kind] = $files.Count
    }
}

$record = [ordered]@{ system = [ordered]@{}; crash_control = $null; pagefile = $null }
$record['dump_counts'] = [ordered]@{}
$record['dumps'] = $null
$record['dump_stack'] = $null

Ask 'system' {
    $os = Get-CimInstance -ClassName Win32_OperatingSystem -OperationTimeoutSec 8
    $zone = [TimeZoneInfo]::Local
    $system = $record['system']
    $system['hostname'] = [Environment]::MachineName
    $system['os'] = [string]$os.Caption
    $system['version'] = [string]$os.Version
    $system['language'] = [string]$os.OSLanguage
    $system['now'] = Stamp (Get-Date)
    $system['last_boot'] = Stamp $os.LastBootUpTime
    $system['uptime_s'] = [long]((Get-Date) - $os.LastBootUpTime).TotalSeconds
    $system['timezone'] = $zone.Id
    $system['utc_offset_minutes'] = [int]$zone.GetUtcOffset((Get-Date)).TotalMinutes
    $system['powershell'] = [string]$PSVersionTable.PSVersion
    $system['user'] = [Security.Principal.WindowsIdentity]::GetCurrent().Name
}
Ask 'agent' {
    $folder = $env:ProgramData + '\aliyun\assist'
    if ([IO.Directory]::Exists($folder)) {
        $versions = (New-Object IO.DirectoryInfo $folder).GetDirectories('*.*.*.*')
        $newest = $versions | Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
        if ($newest) { $record['system']['agent_version'] = $newest.Name }
    }
}
Ask 'crash_control' {
    $values = Get-Value 'CrashControl'
    $chosen = [ordered]@{}
    foreach ($name in $settings) {
        $value = $values.$name
        if ($null -eq $value) { continue }
        if ($value -is [int] -or $value -is [long]) { $chosen[$name] = [long]$value }
        else { $chosen[$name] = Short ($value -join ' ') 260 }
    }
    $record['crash_control'] = $chosen
}
Ask 'pagefile' {
    $machine = Get-CimInstance -ClassName Win32_ComputerSystem -OperationTimeoutSec 8
    $drive = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='$env:SystemDrive'" -OperationTimeoutSec 8
    $used = @()
    foreach ($file in @(Get-CimInstance -ClassName Win32_PageFileUsage -OperationTimeoutSec 8)) {
        if ($null -eq $file) { continue }
        $used += [ordered]@{ Name = [string]$file.Name; AllocatedBaseSize = [long]$file.AllocatedBaseSize }
    }
    $memory = Get-Value 'Session Manager\Memory Management'
    $record['pagefile'] = [ordered]@{
        Win32_PageFileUsage = @($used)
        AutomaticManagedPagefile = [bool]$machine.AutomaticManagedPagefile
        PagingFiles = Short ($memory.PagingFiles -join '; ') 260
        TotalPhysicalMemory = [long]$machine.TotalPhysicalMemory
        SystemDriveFree = [long]$drive.FreeSpace
    }
}
Ask 'dumps' { $record['dumps'] = @(Find-Dump $record['crash_control']) }
Ask 'dump_stack' {
    foreach ($path in @(($env:SystemDrive + '\DumpStack.log'), ($env:SystemDrive + '\DumpStack.log.tmp'))) {
        if ($record['dump_stack'] -or -not [IO.File]::Exists($path)) { continue }
        $text = [Text.Encoding]::ASCII.GetString((Read-Start $path 16384))
        $lines = [regex]::Matches($text, '(#BugCheck|Dump |Progress|Elapsed)[ -~]{1,160}')
        $record['dump_stack'] = Short (@($lines | ForEach-Object { $_.Value }) -join "`n") 2500
    }
}
$events = New-Object 'System.Collections.Generic.List[object]'
foreach ($query in $queries) {
    foreach ($one in @(Find-Event $query)) { if ($one) { $events.Add($one) } }
}

# The whole as JSON in plain ASCII, packed. Fewer events are kept until it fits, the newest always.
function Pack {
    param([string]$text)
    $bytes = [Text.Encoding]::ASCII.GetBytes($text)
    $memory = New-Object IO.MemoryStream
    $zip = New-Object IO.Compression.GZipStream($memory, [IO.Compression.CompressionMode]::Compress)
    $zip.Write($bytes, 0, $bytes.Length)
    $zip.Close()
    $hash = (New-Object Security.Cryptography.SHA256CryptoServiceProvider).ComputeHash($bytes)
    $packed = [Convert]::ToBase64String($memory.ToArray(), [Base64FormattingOptions]::InsertLineBreaks)
    $number = 0
    $lines = foreach ($line in [regex]::Split($packed, '\r\n')) {
        $number += 1
        [string]$number + ':' + $line
    }
    return @{
        Body = @($lines) -join "`r`n"
        Size = $bytes.Length
        Sum = [BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant()
    }
}

$escape = {
    param($found)
    '\u{0:x4}' -f [int][char]$found.Value
}
# System before Application, each with the newest record first.
$sorted = @($events.ToArray() | Sort-Object -Property @{ Expression = { $_['channel'] + ('{0:d19}' -f $_['record_id']) } } -Descending)
$keep = $sorted.Count
$done = $false
while (-not $done) {
    $record['events'] = @($sorted | Select-Object -First $keep)
    $json = ConvertTo-Json -InputObject $record -Depth 8 -Compress
    $json = [regex]::Replace($json, '[^\x20-\x7e]', $escape)
    $told = $notes.ToArray()
    if ($keep -lt $sorted.Count) {
        $told += 'events: ' + ($sorted.Count - $keep) + ' older ones were left out, for room'
    }
    $told = [regex]::Replace(($told -join "`n"), '[^\x0a\x20-\x7e]', '?')
    $text = @('#section record', $json, '#section collection', $told, '') -join "`n"
    $packed = Pack $text
    $done = $packed.Body.Length -le $room -or $keep -eq 0
    $keep = [int][Math]::Floor($keep * 0.8)
}

$seconds = [int]$clock.Elapsed.TotalSeconds
Write-Output '#ecs-bundle 1 windows gzip'
Write-Output $packed.Body
Write-Output ('#ecs-end bytes=' + $packed.Size + ' sha256=' + $packed.Sum + ' seconds=' + $seconds)
