-------------------------------- MODULE Pins --------------------------------
(* A copy needs its source in another repository, and an overlay its base. A pin
   in the source's log keeps that image while the target's log needs it. The two
   logs know nothing of each other: only each single commit is atomic. Callers,
   workers and housekeepers may stop between any two commits, for ever.

   What stands for what:
     PinIt             service.Images.pin: plan.PinForCopy, plan.PinAsBase
     Commit            service.Images.commitPinned: plan.CopyImage or
                       plan.CreateVirtualDisk, in the target
     Refused, Release  the end of commitPinned: plan.Unpin; fix.SourcePins
     Finish            fix.Publication: plan.FinishMend, then fix.SourcePins
     GiveUp            plan.TombstoneVolume in the target; fix.CleanFix
     Judge, Reap       service.Housekeeper.reapPins: plan.StalePins, Borrowed
     Remove, Clean     in the source: plan.RemoveImage, plan.TombstoneVolume

   A caller without an answer repeats the call with the same request id, and the
   second call may begin before the first is over. The target's log remembers
   the request id; each call has a pin of its own.

   Left out: the names of the base's volumes in the pin; opens, which need a pin
   just as a volume does; the freeze of a disk before the pin.

   Bounds: one image, one request, Calls calls, one housekeeper, one worker:
   2,500 states with 2 calls. *)
EXTENDS Naturals, FiniteSets

CONSTANTS Calls

(* Assumptions of the code: nothing enforces them, and they rarely fail. *)
CONSTANTS
  QuickCalls     \* a call commits while its pin still counts as young

(* The defences. *)
CONSTANTS
  OwnPins,       \* each call has a pin of its own, whatever its request id
  PinFirst,      \* the pin is committed before the target's log names the source
  CheckPins,     \* the source is cleaned only without pins
  UnpinLast,     \* a worker releases the pin only after the target's commit
  KeepInDoubt,   \* a call of unknown outcome leaves its pin alone
  AskTarget,     \* a pin is reaped only if the target's log does not need it
  AskNewest,     \* the housekeeper asks the target's newest state
  LeaveYoung,    \* pins are left alone while their calls may be between the two commits
  ReleaseUnneeded \* after a call only a pin that the target does not need is released

Call == 1..Calls
Pin == 1..Calls

VARIABLES
  image,      \* in the source: "strong", "weak", "gone"
  pins,       \* in the source's log
  old,        \* pins that are not young any more
  target,     \* the copy: "none", "copying", "whole", "given up"
  named,      \* the pin that the target's log names
  remembered, \* whether the target's log remembers the request
  call,       \* of each call: its progress, and its pin
  worker, reaper
vars == <<image, pins, old, target, named, remembered, call, worker, reaper>>
source == <<image, pins, old>>
copy == <<target, named, remembered>>

Init ==
  /\ image = "strong" /\ pins = {} /\ old = {}
  /\ target = "none" /\ named = 0 /\ remembered = FALSE
  /\ call = [c \in Call |-> [pc |-> "new", pin |-> 0]]
  /\ worker = "idle" /\ reaper = 0

Needed(p) == target = "copying" /\ named = p
Goes(c, where, p) == call' = [call EXCEPT ![c] = [pc |-> where, pin |-> p]]
At(c, where) == call[c].pc = where
Unpinned(p) == pins' = pins \ {p} /\ UNCHANGED <<image, old>>

(* ---- a call ---- *)

Begin(c) ==
  /\ At(c, "new") /\ \A b \in Call : b < c => ~At(b, "new")
  /\ Goes(c, IF PinFirst THEN "pin" ELSE "commit", IF OwnPins THEN c ELSE 1)
  /\ UNCHANGED <<source, copy, worker, reaper>>
PinIt(c) ==
  /\ At(c, "pin")
  /\ IF image = "strong"
     THEN pins' = pins \cup {call[c].pin} /\ Goes(c, IF PinFirst THEN "commit" ELSE "answered", call[c].pin)
     ELSE Goes(c, "over", 0) /\ UNCHANGED pins
  /\ UNCHANGED <<image, old, copy, worker, reaper>>

(* The target's log takes the request, knows it already, or refuses it, say on a full storage. *)
Commit(c) ==
  /\ At(c, "commit")
  /\ \/ /\ ~remembered /\ target = "none"
        /\ target' = "copying" /\ named' = call[c].pin /\ remembered' = TRUE
        /\ Goes(c, IF PinFirst THEN "answered" ELSE "pin", call[c].pin)
     \/ remembered /\ Goes(c, "answered", call[c].pin) /\ UNCHANGED copy
     \/ ~remembered /\ Goes(c, "refused", call[c].pin) /\ UNCHANGED copy
  /\ UNCHANGED <<source, worker, reaper>>
(* The caller does not learn the outcome. *)
InDoubt(c) ==
  /\ At(c, "commit")
  /\ \/ UNCHANGED copy
     \/ /\ ~remembered /\ target = "none"
        /\ target' = "copying" /\ named' = call[c].pin /\ remembered' = TRUE
  /\ Goes(c, IF KeepInDoubt THEN "over" ELSE "refused", call[c].pin)
  /\ UNCHANGED <<source, worker, reaper>>
Refused(c) ==
  /\ At(c, "refused") /\ Unpinned(call[c].pin) /\ Goes(c, "over", 0)
  /\ UNCHANGED <<copy, worker, reaper>>
(* The copy was there before, or is whole by now: then the pin is needless. *)
Release(c) ==
  /\ At(c, "answered") /\ Goes(c, "over", 0)
  /\ IF ReleaseUnneeded /\ Needed(call[c].pin) THEN UNCHANGED source ELSE Unpinned(call[c].pin)
  /\ UNCHANGED <<copy, worker, reaper>>
Stop(c) ==
  /\ call[c].pc \notin {"new", "over"} /\ Goes(c, "over", 0)
  /\ UNCHANGED <<source, copy, worker, reaper>>

(* ---- in the target ---- *)

Finish ==
  /\ target = "copying" /\ worker = "idle" /\ image # "gone"
  /\ IF UnpinLast
     THEN target' = "whole" /\ worker' = "unpin" /\ UNCHANGED <<source, named, remembered>>
     ELSE Unpinned(named) /\ worker' = "finish" /\ UNCHANGED copy
  /\ UNCHANGED <<call, reaper>>
FinishLate ==
  /\ worker = "finish" /\ worker' = "over" /\ target' = "whole"
  /\ UNCHANGED <<source, named, remembered, call, reaper>>
GiveUp ==
  /\ target = "copying" /\ target' = "given up" /\ worker' = "unpin"
  /\ UNCHANGED <<source, named, remembered, call, reaper>>
LetGo ==
  /\ worker = "unpin" /\ worker' = "over" /\ ~Needed(named) /\ Unpinned(named)
  /\ UNCHANGED <<copy, call, reaper>>

(* ---- stale pins ---- *)

(* Five minutes go by. *)
Ages(p) ==
  /\ p \in pins \ old
  /\ QuickCalls => \A c \in Call : call[c].pin = p => call[c].pc \in {"new", "over"}
  /\ old' = old \cup {p} /\ UNCHANGED <<image, pins, copy, call, worker, reaper>>
(* A replica may be behind and show the state before the copy. *)
Judge(p) ==
  /\ reaper = 0 /\ p \in pins /\ (LeaveYoung => p \in old)
  /\ (AskTarget => (~Needed(p) \/ ~AskNewest))
  /\ reaper' = p /\ UNCHANGED <<source, copy, call, worker>>
Reap ==
  /\ reaper # 0 /\ Unpinned(reaper) /\ reaper' = 0
  /\ UNCHANGED <<copy, call, worker>>

(* ---- in the source ---- *)

Remove ==
  /\ image = "strong" /\ image' = "weak"
  /\ UNCHANGED <<pins, old, copy, call, worker, reaper>>
Clean ==
  /\ image = "weak" /\ (CheckPins => pins = {}) /\ image' = "gone"
  /\ UNCHANGED <<pins, old, copy, call, worker, reaper>>

Next ==
  \/ \E c \in Call : \/ Begin(c) \/ PinIt(c) \/ Commit(c) \/ InDoubt(c) \/ Refused(c)
                     \/ Release(c) \/ Stop(c)
  \/ Finish \/ FinishLate \/ GiveUp \/ LetGo
  \/ \E p \in Pin : Ages(p) \/ Judge(p)
  \/ Reap \/ Remove \/ Clean
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* An image that the target's log needs is there, even after a removal. *)
SourceIsKept == target = "copying" => image # "gone"
=============================================================================
