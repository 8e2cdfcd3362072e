# Reads what this machine would keep of a crash. It changes nothing and writes no file.
# Needs PowerShell 4 or later. What it prints is one packed bundle of sections.
#use head
#use settings
#use Note Short Stamp Ask Get-Value
$record = [ordered]@{ system = [ordered]@{}; crash_control = $null; pagefile = $null; readiness = $null }
#use system agent crash_control pagefile
Ask 'readiness' {
    $machine = Get-CimInstance -ClassName Win32_ComputerSystem -OperationTimeoutSec 8
    $drives = @()
    foreach ($drive in @(Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType=3' -OperationTimeoutSec 8)) {
        $drives += [ordered]@{
            DeviceID = [string]$drive.DeviceID
            Size = [long]$drive.Size
            FreeSpace = [long]$drive.FreeSpace
        }
    }
    $logs = @()
    foreach ($name in @('System', 'Application')) {
        try {
            $log = Get-WinEvent -ListLog $name
            $logs += [ordered]@{
                LogName = $name
                IsEnabled = [bool]$log.IsEnabled
                LogMode = [string]$log.LogMode
                MaximumSizeInBytes = [long]$log.MaximumSizeInBytes
            }
        } catch {
            Note ('event log ' + $name) $_.Exception.Message
        }
    }
    $record['readiness'] = [ordered]@{
        PartOfDomain = [bool]$machine.PartOfDomain
        SystemRoot = [string]$env:SystemRoot
        Drives = @($drives)
        EventLogs = @($logs)
    }
}
#use Pack
#use escape
$json = ConvertTo-Json -InputObject $record -Depth 8 -Compress
$json = [regex]::Replace($json, '[^\x20-\x7e]', $escape)
$told = [regex]::Replace(($notes.ToArray() -join "`n"), '[^\x0a\x20-\x7e]', '?')
$packed = Pack (@('#section record', $json, '#section collection', (Short $told 4000), '') -join "`n")
$seconds = [int]$clock.Elapsed.TotalSeconds
Write-Output '#ecs-bundle 1 windows gzip'
Write-Output $packed.Body
Write-Output ('#ecs-end bytes=' + $packed.Size + ' sha256=' + $packed.Sum + ' seconds=' + $seconds)
