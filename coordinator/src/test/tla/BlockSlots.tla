----------------------------- MODULE BlockSlots -----------------------------
(* Hosts win slots of the log on blocks by splitters: two blocks for each slot, X
   and Y, that any host reads and writes. A host keeps the number of its slot in its
   state directory. A process may stop between any two steps, and the next process
   of its host begins.

   What stands for what (package io.quarry.agent.storage.block):
     Begin                Splitters.win
     First .. LookX       Splitters.wins, step by step
     Lost, Land           a write without an answer, which lands late or never
     Fail                 a read fails, or the number cannot be kept (HostSlot.keep)
     Die                  a process ends: the next one does not know which slots it has burnt

   Left out: the looks at the slot's cell (BlockSlotStore.ownCell, OwnCell.look). They
   stop most of the hosts that have one slot with another one all the same.

   Bounds: Hosts hosts, Slots slots, Deaths deaths, Faults writes without an answer:
   23,000 states with three hosts and one slot. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
  Hosts, Slots, Deaths, Faults

(* Assumptions of the code: nothing enforces them. *)
CONSTANTS
  LandsInLife    \* a write lands before the next process of its host begins, or never

(* The defences. *)
CONSTANTS
  LookAtY,       \* a host closes a slot only if nobody has closed it since the host wrote X
  LookAtX,       \* a slot is won only if X still has the own key afterwards
  ReclaimBoth,   \* a later process takes a slot for won only if X and Y have the own key
  LeaveBurnt     \* a process leaves a slot alone at which a write of its own got no answer

Host == 1..Hosts
Slot == 1..Slots

VARIABLES
  x, y,        \* the two blocks of each slot: a host's key, 0: void
  late,        \* writes that may still land
  pc, slot,    \* of each host's process; slot: the one that it tries
  burnt,       \* of each process: slots that it leaves alone
  has,         \* of each host: slots that a process of the host has ever won
  deaths, faults
vars == <<x, y, late, pc, slot, burnt, has, deaths, faults>>
limits == <<deaths, faults>>

Init ==
  /\ x = [s \in Slot |-> 0] /\ y = x /\ late = {}
  /\ pc = [h \in Host |-> "idle"] /\ slot = [h \in Host |-> 0] /\ burnt = [h \in Host |-> {}]
  /\ has = [h \in Host |-> {}] /\ deaths = Deaths /\ faults = Faults

At(h, where) == pc[h] = where
Goes(h, where) == pc' = [pc EXCEPT ![h] = where]
Wins(h) == has' = [has EXCEPT ![h] = @ \cup {slot[h]}] /\ Goes(h, "won")
From(h, s) == {t \in Slot : t >= s /\ t \notin burnt[h]}
(* Without a slot left the call fails, and the next call begins with the first slot. *)
Tries(h, slots) ==
  IF slots = {} THEN Goes(h, "idle") /\ slot' = [slot EXCEPT ![h] = 0]
  ELSE Goes(h, "first") /\ slot' = [slot EXCEPT ![h] = CHOOSE s \in slots : \A t \in slots : s <= t]
TriesNext(h) == Tries(h, From(h, slot[h] + 1))
Burns(h) == burnt' = [burnt EXCEPT ![h] = @ \cup {slot[h]}]

Begin(h) ==
  /\ At(h, "idle") /\ From(h, 1) # {} /\ Tries(h, From(h, 1))
  /\ UNCHANGED <<x, y, late, burnt, has, limits>>
First(h) ==
  /\ At(h, "first")
  /\ CASE y[slot[h]] = 0 -> Goes(h, "writeX") /\ UNCHANGED slot
       [] y[slot[h]] = h -> Goes(h, "reclaim") /\ UNCHANGED slot
       [] OTHER -> TriesNext(h)
  /\ UNCHANGED <<x, y, late, burnt, has, limits>>
Reclaim(h) ==
  /\ At(h, "reclaim")
  /\ IF x[slot[h]] = h \/ ~ReclaimBoth THEN Wins(h) /\ UNCHANGED slot
     ELSE TriesNext(h) /\ UNCHANGED has
  /\ UNCHANGED <<x, y, late, burnt, limits>>
WriteX(h) ==
  /\ At(h, "writeX") /\ x' = [x EXCEPT ![slot[h]] = h]
  /\ Goes(h, IF LookAtY THEN "lookY" ELSE "writeY")
  /\ UNCHANGED <<y, late, slot, burnt, has, limits>>
LookY(h) ==
  /\ At(h, "lookY")
  /\ IF y[slot[h]] = 0 THEN Goes(h, "writeY") /\ UNCHANGED <<slot, burnt>>
     ELSE Burns(h) /\ TriesNext(h)
  /\ UNCHANGED <<x, y, late, has, limits>>
WriteY(h) ==
  /\ At(h, "writeY") /\ y' = [y EXCEPT ![slot[h]] = h] /\ Goes(h, "lookX")
  /\ UNCHANGED <<x, late, slot, burnt, has, limits>>
LookX(h) ==
  /\ At(h, "lookX")
  /\ IF x[slot[h]] = h \/ ~LookAtX THEN Wins(h) /\ UNCHANGED slot
     ELSE TriesNext(h) /\ UNCHANGED has
  /\ UNCHANGED <<x, y, late, burnt, limits>>

Ends(h) == Goes(h, "idle") /\ slot' = [slot EXCEPT ![h] = 0]
Lost(h) ==
  /\ pc[h] \in {"writeX", "writeY"} /\ faults > 0 /\ faults' = faults - 1
  /\ late' = late \cup {[at |-> pc[h], slot |-> slot[h], host |-> h]}
  /\ Ends(h) /\ IF LeaveBurnt THEN Burns(h) ELSE UNCHANGED burnt
  /\ UNCHANGED <<x, y, has, deaths>>
Land ==
  /\ \E l \in late :
       /\ late' = late \ {l}
       /\ x' = IF l.at = "writeX" THEN [x EXCEPT ![l.slot] = l.host] ELSE x
       /\ y' = IF l.at = "writeY" THEN [y EXCEPT ![l.slot] = l.host] ELSE y
  /\ UNCHANGED <<pc, slot, burnt, has, limits>>
Fail(h) ==
  /\ pc[h] \in {"first", "reclaim", "lookY", "lookX", "won"} /\ Ends(h)
  /\ IF At(h, "lookY") THEN Burns(h) ELSE UNCHANGED burnt
  /\ UNCHANGED <<x, y, late, has, limits>>
Die(h) ==
  /\ deaths > 0 /\ deaths' = deaths - 1 /\ Ends(h) /\ burnt' = [burnt EXCEPT ![h] = {}]
  /\ late' = IF LandsInLife THEN {l \in late : l.host # h} ELSE late
  /\ UNCHANGED <<x, y, has, faults>>

Next ==
  \/ \E h \in Host :
       \/ Begin(h) \/ First(h) \/ Reclaim(h) \/ WriteX(h) \/ LookY(h) \/ WriteY(h) \/ LookX(h)
       \/ Lost(h) \/ Fail(h) \/ Die(h)
  \/ Land
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* A slot belongs to one host at most, for ever. *)
OneHost == \A g, h \in Host : g # h => has[g] \cap has[h] = {}
=============================================================================
