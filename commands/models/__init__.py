"""What we do to instances: scripts kept to be run, runs, each machine's answer."""

from commands.models.agents import AgentInstall as AgentInstall
from commands.models.library import LibraryAct as LibraryAct
from commands.models.outputs import Output as Output
from commands.models.outputs import digest_of as digest_of
from commands.models.policy import Approval as Approval
from commands.models.policy import Decision as Decision
from commands.models.policy import PolicyRule as PolicyRule
from commands.models.policy import Verb as Verb
from commands.models.runs import Dispatch as Dispatch
from commands.models.runs import Invocation as Invocation
from commands.models.runs import Outcome as Outcome
from commands.models.runs import Target as Target
from commands.models.saved import CloudCommand as CloudCommand
from commands.models.saved import CommandRevision as CommandRevision
from commands.models.saved import CommandTag as CommandTag
from commands.models.saved import Favourite as Favourite
from commands.models.saved import SavedCommand as SavedCommand
from commands.models.schedules import Fire as Fire
from commands.models.schedules import FreezeWindow as FreezeWindow
from commands.models.schedules import Schedule as Schedule
from commands.models.scripts import CommandType as CommandType
from commands.models.scripts import Script as Script
from commands.models.scripts import TerminationMode as TerminationMode
