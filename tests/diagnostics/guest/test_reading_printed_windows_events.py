"""Every way in which Windows prints events is read to the same events."""

import json

import pytest

from diagnostics.analyzers import windows
from diagnostics.readers import kinds, windows_print
from diagnostics.readers.windows_times import iso, settled

POWER, UNEXPECTED = "Microsoft-Windows-Kernel-Power", "EventLog"
SAID = "The previous system shutdown at 2:30:11 AM on 11/20/2026 was unexpected."

FORMAT_LIST = f"""

TimeCreated  : 11/20/2026 2:33:01 AM
ProviderName : {POWER}
Id           : 41
Message      : The system has rebooted without cleanly shutting down first. This error could be
               caused if the system: stopped responding, crashed, or lost power unexpectedly.

TimeCreated  : 11/20/2026 2:33:05 AM
ProviderName : {UNEXPECTED}
Id           : 6008
Message      : {SAID}
"""
TABLE = f"""
   ProviderName: {POWER}

TimeCreated                     Id LevelDisplayName Message
-----------                     -- ---------------- -------
11/20/2026 2:33:01 AM           41 Critical         The system has rebooted without cleanly shut...


   ProviderName: {UNEXPECTED}

TimeCreated                     Id LevelDisplayName Message
-----------                     -- ---------------- -------
11/20/2026 2:33:05 AM         6008 Error            {SAID}
"""
WEVTUTIL = f"""Event[0]:
  Log Name: System
  Source: {POWER}
  Date: 2026-11-20T02:33:01.123
  Event ID: 41
  Task: N/A
  Level: Critical
  Description:
The system has rebooted without cleanly shutting down first.

Event[1]:
  Log Name: System
  Source: {UNEXPECTED}
  Date: 2026-11-20T02:33:05.500
  Event ID: 6008
  Description:
{SAID}
"""
VIEWER = f"""Level,Date and Time,Source,Event ID,Task Category
Critical,11/20/2026 2:33:01 AM,{POWER},41,(63),"The system has rebooted, without warning"
Error,11/20/2026 2:33:05 AM,{UNEXPECTED},6008,None,"{SAID}"
"""
EXPORT_CSV = f"""#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord
"Message","Id","ProviderName","LogName","RecordId","TimeCreated"
"The system has rebooted
over two lines","41","{POWER}","System","77","11/20/2026 2:33:01 AM"
"{SAID}","6008","{UNEXPECTED}","System","78","11/20/2026 2:33:05 AM"
"""
COLOURED = FORMAT_LIST.replace("TimeCreated  :", "\x1b[32;1mTimeCreated  : \x1b[0m")
CHINESE = f"""日志名称:          System
来源:            {POWER}
日期:            2026/11/20 2:33:01
事件 ID:         41
级别:            关键
描述:
系统已在未先正常关机的情况下重新启动。
日志名称:          System
来源:            {UNEXPECTED}
日期:            2026/11/20 2:33:05
事件 ID:         6008
描述:
上一次系统的 2:30:11 在 2026/11/20 上的关闭是意外的。
"""
JSON = json.dumps(
    [
        {"Id": 41, "ProviderName": POWER, "TimeCreated": "/Date(1795141981000)/", "Message": "x"},
        {"Id": 6008, "ProviderName": UNEXPECTED, "TimeCreated": "2026-11-20T02:33:05Z"},
    ]
)


def event(id: int, provider: str, data: str) -> str:
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='{provider}'/><EventID Qualifiers='0'>{id}</EventID>"
        "<TimeCreated SystemTime='2026-11-20T02:33:01.1234567Z'/><EventRecordID>9</EventRecordID>"
        f"<Channel>System</Channel></System><EventData>{data}</EventData></Event>"
    )


CODE = "<Data Name='BugcheckCode'>209</Data><Data Name='PowerButtonTimestamp'>0</Data>"
XML = f"<Events>{event(41, POWER, CODE)}{event(6008, UNEXPECTED, '<Data>a</Data>')}</Events>"
PRINTS = {
    "Format-List": FORMAT_LIST,
    "table": TABLE,
    "colours": COLOURED,
    "wevtutil": WEVTUTIL,
    "Event Viewer": VIEWER,
    "Export-Csv": EXPORT_CSV,
    "Chinese": CHINESE,
    "JSON": JSON,
    "XML": XML,
}


@pytest.mark.parametrize("name", PRINTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_each_print_is_recognised_and_gives_the_two_events(name, encoding):
    body = PRINTS[name].replace("\n", "\r\n").encode(encoding)
    assert kinds.why_not(body) is None
    assert kinds.recognised("events.txt", body) == kinds.EVENTS
    found = windows_print.read(PRINTS[name])
    assert [(one["id"], one["provider"]) for one in found] == [(41, POWER), (6008, UNEXPECTED)]
    assert all(one["time"].startswith("2026-11-20T02:33:0") for one in found)
    assert windows.judge({"events": found}).verdict.crashed


VIEWED = f"""The details tab says:

- System

  - Provider

   [ Name]  {POWER}
   [ Guid]  {{331C3B3A-2005-44C2-AC5E-77220C37D6B4}}

   EventID 41

  - TimeCreated

   [ SystemTime]  2026-11-20T02:33:01.123456700Z

   EventRecordID 3567

   Channel System

- EventData

  BugcheckCode 209
  BugcheckParameter1 0x28
  SleepInProgress 0
  PowerButtonTimestamp 0
"""
CRASHED = (
    "The computer has rebooted from a bugcheck.  The bugcheck was: 0x000000d1 (0x28, 0x2, 0x0, "
    "0xfffff80412345678). A dump was saved in: C:\\Windows\\MEMORY.DMP."
)
ASKED = (
    "The process C:\\Temp\\setup.exe (WEB-7) has initiated the restart of computer WEB-7 on behalf "
    "of user WEB-7\\ops for the following reason: Application: Installation (Planned)\n"
    " Reason Code: 0x80040002\n Shutdown Type: restart\n Comment: \n"
)


@pytest.mark.parametrize(
    ("pasted", "kind"),
    [
        (VIEWED, "bugcheck"),
        (f"It was down this morning.\n\n{CRASHED}\n\nWhat does that mean?\n", "bugcheck"),
        (f"> {CRASHED}\n", "bugcheck"),
        (f"No reason is given:\n{ASKED}", "planned_software"),
        (f"{SAID}\n", "unclean_no_bugcheck"),
    ],
)
def test_what_people_copy_into_a_mail_is_read(pasted, kind):
    assert windows_print.looks_like(pasted)
    assert windows.judge({"events": windows_print.read(pasted)}).verdict.kind == kind


def test_event_data_comes_before_messages():
    first, second = windows_print.read(XML)
    assert first["data"] == {"BugcheckCode": 209, "PowerButtonTimestamp": 0}
    assert second["data"] == {"Data": ["a"]}


def test_values_without_names_get_the_names_of_their_event():
    raw = json.loads(JSON)[0] | {"Properties": [{"Value": 209}, {"Value": "0x10"}]}
    (found,) = windows_print.read(json.dumps(raw))
    assert found["data"] == {"BugcheckCode": 209, "BugcheckParameter1": "0x10"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        '{"MESSAGE": "x", "__REALTIME_TIMESTAMP": "1"}',
        "a,b,c\n1,2,3\n",
        "Nov 20 02:33:01 web01 kernel: Id : 41",
        "<Event> a word in a log </Event>",
        "Source: foo\nDate: today\n",
        "- System\n  EventID 41\n",
        "The computer has rebooted from a bugcheck. The bugcheck was: <its code>.\n",
        "The previous system shutdown at <time> on <date> was unexpected.\n",
        "Event ID 41: the system has rebooted without cleanly shutting down first.\n",
    ],
)
def test_other_texts_are_not_taken_for_events(text):
    assert not windows_print.looks_like(text)
    assert windows_print.read(text) == []


def test_entities_are_not_opened_and_no_text_costs_more_than_its_length():
    laughs = '<!DOCTYPE a [<!ENTITY l "lol">]>' + XML.replace("209", "<!ENTITY x>&l;")
    windows_print.read(laughs)
    for part in (
        "- System\n",
        "The process x has initiated the ",
        "[ Name] x\n",
        "<Event ",
        "ProviderName: x" + " " * 3000,
        "{",
        "[" * 50,
        "Id : 1\n",
        ",\n",
    ):
        windows_print.read(part * (200_000 // len(part)))


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("11/20/2026 2:33:01 PM", "2026-11-20T14:33:01"),
        ("20.11.2026 02:33:01", "2026-11-20T02:33:01"),
        ("20/11/2026 12:33:01 AM", "2026-11-20T00:33:01"),
        ("2026/11/20 下午 2:33:01", "2026-11-20T14:33:01"),
        ("\u200e2026-\u200e11-\u200e20T02:33:01.1Z", "2026- 11- 20T02:33:01.1Z"),
        ("2026-11-20T02:33:01.1234567Z", "2026-11-20T02:33:01.1234567Z"),
        ("soon", "soon"),
    ],
)
def test_times_of_many_countries_become_one_form(printed, meant):
    events = [{"time": printed}]
    settled(events)
    assert events[0]["time"] == meant


def test_one_print_comes_from_one_machine():
    assert iso("11/12/2026 02:00:00") == "2026-11-12T02:00:00"
    events = [{"time": "11/12/2026 02:00:00"}, {"time": "13/12/2026 02:00:00"}]
    settled(events)
    assert events[0]["time"] == "2026-12-11T02:00:00"
