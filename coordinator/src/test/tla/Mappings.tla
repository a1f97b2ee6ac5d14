------------------------------ MODULE Mappings ------------------------------
(* An extent of a shared device gets one file after another. A host has a device
   for a file only while the log allows it, and the extent gets another file only
   when no host can have such a device. Requests of hosts arrive at any time after
   they were sent, any number of times, or never. A host knows any state of the
   log, but never an older one than before.

   What stands for what (coordinator, package plan):
     Allocate          ReserveExtents, for a new file
     Map               MapFiles, ReserveExtents: ExtentChanges.map
     End               UnmapFiles: ExtentChanges.unmap
     Fence             FenceMappings
     Free              FreeExtents, PurgeVolume: ExtentChanges.free, Extents.minusAllocation
     See, Make, Tell   what the agent of a host does (MappingWorld, in the tests)

   A file is a number; no number comes back. One extent stands for all of a file.
   A host has one mapping at a time.

   Left out: how the planner finds free extents; volumes, which say what a file is
   needed for; the device mapper, which refuses to remove a device that is open.

   Bounds: Hosts hosts, MaxFile files, MaxCommit commits that allow a mapping,
   MaxBoot boots of each host. *)
EXTENDS Naturals, FiniteSets

CONSTANTS Hosts, MaxFile, MaxCommit, MaxBoot

(* The defences, each with a switch. *)
CONSTANTS
  FreeUnmapped,  \* extents are freed only without mappings
  SeeFirst,      \* a host makes a device only by a mapping that it has seen in the log
  RemoveFirst,   \* a host removes the device before it tells the end
  NewerOnly,     \* no device by a mapping whose end was told
  OwnBoot,       \* no device by a mapping of another boot
  SinceMatches,  \* an end that names an older commit ends nothing
  KeepBoot,      \* a mapping is not replaced by one of another boot
  KeyMatches,    \* a clone of a host does not end the host's mappings
  FenceDead      \* only a host that is off is fenced

Host == 1..Hosts
None == [file |-> 0, boot |-> 0, since |-> 0]

VARIABLES
  extent,  \* the file that has the extent; 0 for none
  files,   \* how many files there were
  commit,  \* the number of the last commit that allowed a mapping
  maps,    \* in the log, of each host: the file, the boot, and the commit
  asks,    \* requests on their way
  seen,    \* of each host: its mapping, as the host knows the log
  boot,    \* of each host: the number of its boot
  off,     \* the hosts that are off
  dev,     \* of each host: the file that it has a device for
  told     \* of each host: the commit of the last mapping whose end this boot has told
vars == <<extent, files, commit, maps, asks, seen, boot, off, dev, told>>
log == <<extent, files, commit, maps>>
kernel == <<boot, off, dev>>

Init ==
  /\ extent = 0 /\ files = 0 /\ commit = 0
  /\ maps = [h \in Host |-> None] /\ seen = maps
  /\ asks = {} /\ off = {}
  /\ boot = [h \in Host |-> 1]
  /\ dev = [h \in Host |-> 0] /\ told = [h \in Host |-> 0]

Asked(kind, h, file, of, since) ==
  [kind |-> kind, host |-> h, file |-> file, boot |-> of, since |-> since]

(* ---- the log ---- *)

Allocate ==
  /\ extent = 0 /\ files < MaxFile
  /\ files' = files + 1 /\ extent' = files + 1
  /\ UNCHANGED <<commit, maps, asks, seen, kernel, told>>
Map(r) ==
  /\ r.kind = "map" /\ r.file = extent /\ commit < MaxCommit
  /\ (KeepBoot => maps[r.host].file = 0 \/ maps[r.host].boot = r.boot)
  /\ commit' = commit + 1
  /\ maps' = [maps EXCEPT ![r.host] = [file |-> r.file, boot |-> r.boot, since |-> commit + 1]]
  /\ UNCHANGED <<extent, files, asks, seen, kernel, told>>
End(r) ==
  /\ r.kind \in {"end", "clone's end"} /\ r.file = maps[r.host].file
  /\ (KeyMatches => r.kind = "end")
  /\ (SinceMatches => r.since = maps[r.host].since)
  /\ maps' = [maps EXCEPT ![r.host] = None]
  /\ UNCHANGED <<extent, files, commit, asks, seen, kernel, told>>
Fence(h) ==
  /\ maps[h].file # 0 /\ (FenceDead => h \in off)
  /\ maps' = [maps EXCEPT ![h] = None]
  /\ UNCHANGED <<extent, files, commit, asks, seen, kernel, told>>
Free ==
  /\ extent # 0 /\ (FreeUnmapped => \A h \in Host : maps[h].file # extent)
  /\ extent' = 0
  /\ UNCHANGED <<files, commit, maps, asks, seen, kernel, told>>

(* ---- a host ---- *)

Ask(h) ==
  /\ h \notin off /\ extent # 0
  /\ asks' = asks \cup {Asked("map", h, extent, boot[h], 0)}
  /\ IF SeeFirst THEN UNCHANGED dev ELSE dev' = [dev EXCEPT ![h] = extent]
  /\ UNCHANGED <<log, seen, boot, off, told>>
See(h) ==
  /\ h \notin off /\ seen[h] # maps[h]
  /\ seen' = [seen EXCEPT ![h] = maps[h]]
  /\ UNCHANGED <<log, asks, kernel, told>>
Make(h) ==
  /\ h \notin off /\ seen[h].file # 0 /\ dev[h] = 0
  /\ (OwnBoot => seen[h].boot = boot[h])
  /\ (NewerOnly => seen[h].since > told[h])
  /\ dev' = [dev EXCEPT ![h] = seen[h].file]
  /\ UNCHANGED <<log, asks, seen, boot, off, told>>
(* Devices of earlier boots went with their kernels, so this boot's device stays. *)
Tell(h) ==
  /\ h \notin off /\ seen[h].file # 0
  /\ asks' = asks \cup {Asked("end", h, seen[h].file, boot[h], seen[h].since)}
  /\ told' = [told EXCEPT ![h] = seen[h].since]
  /\ dev' = [dev EXCEPT ![h] = IF RemoveFirst /\ seen[h].boot = boot[h] THEN 0 ELSE @]
  /\ UNCHANGED <<log, seen, boot, off>>
CloneTells(h) ==
  /\ maps[h].file # 0
  /\ asks' = asks \cup {Asked("clone's end", h, maps[h].file, 1, maps[h].since)}
  /\ UNCHANGED <<log, seen, kernel, told>>
PowerOff(h) ==
  /\ h \notin off /\ boot[h] < MaxBoot
  /\ off' = off \cup {h} /\ dev' = [dev EXCEPT ![h] = 0]
  /\ UNCHANGED <<log, asks, seen, boot, told>>
PowerOn(h) ==
  /\ h \in off /\ off' = off \ {h}
  /\ boot' = [boot EXCEPT ![h] = @ + 1] /\ told' = [told EXCEPT ![h] = 0]
  /\ UNCHANGED <<log, asks, seen, dev>>

Next ==
  \/ Allocate \/ Free
  \/ \E r \in asks : Map(r) \/ End(r)
  \/ \E h \in Host : \/ Ask(h) \/ See(h) \/ Make(h) \/ Tell(h)
                     \/ CloneTells(h) \/ Fence(h) \/ PowerOff(h) \/ PowerOn(h)
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* A host that writes through its device writes to the file that has the extent. *)
DeviceIsOfTheFile == \A h \in Host : dev[h] # 0 => dev[h] = extent
=============================================================================
