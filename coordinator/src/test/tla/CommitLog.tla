----------------------------- MODULE CommitLog -----------------------------
(* A repository's commit log and its concurrent users: hosts that each may
   believe to be the SDM, for any time; a reader; a process that writes
   checkpoints and frees names. The model has no election, no clock and no
   lease. Any host may stop between any two steps, for ever, so a crash needs
   no action of its own.

   What stands for what (package io.quarry.coordinator.log, if nothing else
   is said):
     Load, CatchUp             LogReader.load, catchUpListing, for a new term
     Put, PutUnknown, Land     SlotStore.putIfAbsent, its failure, a delayed link
     Exists, Validate, Settle  CommitLog.append, validate, settle
     Filler, FillerCheck       CommitLog.settleUnknown
     Misled                    the end of CommitLog.beginTerm
     Refuse, Confirm, Answer   CommitLog.confirm, sdm.Batch of refusals
     Checkpoint, Vacuum, Free  Checkpointer.checkpoint, vacuum
     Reader...                 LogReader.load step by step, as replicas do it

   A record has its writer, its term, its request (0: none, as in term records
   and no-ops), and the key of the record before, which stands for the hash. A
   host loads the log in one step: the reader shows that many steps have the
   same result.

   Left out: durability (each link stays), the head note, torn files, groups of
   requests in one record, a full storage.

   Bounds: hosts 1 and 2, of which host 1 leads after record 1; MaxRecord
   numbers, MaxRequest requests, Faults links that are delayed or whose reply
   is lost, MaxRefusals refusals. Large bounds together would take too long, so
   there are scenarios, of 4 or 5 records and 4,000 to 45,000 states each. *)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
  MaxRecord, MaxRequest, MaxRefusals,
  Faults,      \* how many puts may end in doubt
  Spoils,      \* how many checkpoints may become unreadable
  Reads,       \* whether the reader runs
  OldView,     \* whether a host may see an old directory until its next put
  Vacuums      \* whether names are freed

(* The defences, each with a switch. *)
CONSTANTS
  PutIfAbsent,    \* a taken name keeps its record
  ValidateLink,   \* after a link, the SDM checks that the record before is still there
  LookOnExists,   \* after "exists" the SDM reads the log before it reports "not committed"
  FillUnknown,    \* an unknown outcome is settled by a no-op
  CheckFiller,    \* the no-op counts only if readers reach it
  Ascending,      \* names are freed in ascending order
  KeepLast,       \* the last record that the older checkpoint covers stays
  KeepTwo,        \* two checkpoints cover each freed record
  Recheck,        \* a reader looks for newer checkpoints after the tail
  EndInDoubt,     \* an SDM with a record of unknown outcome gives up the role
  TermRecord,     \* an SDM begins with a record of its own
  CheckMisled,    \* after that record the SDM checks that no old view misled it
  ConfirmRefusal, \* the SDM looks at the log before it answers a refusal
  NextNameFirst   \* that look begins with the next name

Host == {1, 2}
Numbers == 1..MaxRecord
NONE == [by |-> 0, term |-> 0, request |-> 0, prev |-> <<0, 0, 0>>]

VARIABLES
  slot,     \* the record under each number
  ckpt,     \* the state under each checkpoint's number, <<>> where there is none
  spoilt,   \* numbers of checkpoints that cannot be read
  truth,    \* the state that a fresh reader sees; follows from the three above
  late,     \* links on their way
  faults,   \* how many puts may still end in doubt
  pc, view, cur, frees,   \* of each host; cur: the record of its running put
  asked,    \* the number of requests, which is also the latest one's name
  told,     \* each request's answer: "" (none), "yes", "no"
  doubt,    \* requests answered with an unknown outcome
  fresh,    \* how much was committed when the refused request arrived
  refusals, stale,
  reader
log == <<slot, ckpt, spoilt>>
vars == <<log, truth, late, faults, pc, view, cur, frees, asked, told, doubt, fresh, refusals, stale,
          reader>>
asks == <<asked, fresh, refusals, stale>>
callers == <<asks, told, doubt>>

Key(r) == <<r.by, r.term, r.request>>
Last(s) == IF s = <<>> THEN NONE ELSE s[Len(s)]
Term(s) == Last(s).term
Max(S) == CHOOSE n \in S : \A m \in S : m <= n
Checkpoints == {n \in Numbers : ckpt[n] # <<>>}
Whole == Checkpoints \ spoilt
Newest == IF Checkpoints = {} THEN 0 ELSE Max(Checkpoints)
Base == IF Whole = {} THEN 0 ELSE Max(Whole)
StateAt(n) == IF n = 0 THEN <<>> ELSE ckpt[n]
Requests(s) == {s[i].request : i \in 1..Len(s)} \ {0}
IsPrefix(a, b) == Len(a) <= Len(b) /\ SubSeq(b, 1, Len(a)) = a

Follows(r, s) == r # NONE /\ r.prev = Key(Last(s)) /\ r.term >= Term(s)
RECURSIVE ReadOn(_)
ReadOn(s) == IF Len(s) < MaxRecord /\ Follows(slot[Len(s) + 1], s)
             THEN ReadOn(Append(s, slot[Len(s) + 1])) ELSE s
Replay == ReadOn(StateAt(Base))

First == [by |-> 1, term |-> 1, request |-> 0, prev |-> Key(NONE)]
Init ==
  /\ slot = [n \in Numbers |-> IF n = 1 THEN First ELSE NONE]
  /\ ckpt = [n \in Numbers |-> <<>>] /\ spoilt = {} /\ truth = <<First>>
  /\ late = {} /\ faults = Faults
  /\ pc = [h \in Host |-> IF h = 1 THEN "lead" ELSE "idle"]
  /\ view = [h \in Host |-> IF h = 1 THEN <<First>> ELSE <<>>]
  /\ cur = [h \in Host |-> NONE] /\ frees = [h \in Host |-> {}]
  /\ asked = 0 /\ told = [r \in 1..MaxRequest |-> ""] /\ doubt = {}
  /\ fresh = [h \in Host |-> 0] /\ refusals = 0 /\ stale = FALSE
  /\ reader = [pc |-> "off", base |-> 0, state |-> <<>>, from |-> 0]

At(h, where) == pc[h] = where
Goes(h, where) == pc' = [pc EXCEPT ![h] = where]
Sees(h, state) == view' = [view EXCEPT ![h] = state]
Puts(h, record) == cur' = [cur EXCEPT ![h] = record]
Number(h) == Len(view[h]) + 1

(* ---- how an append ends ---- *)

Tells(h, what) ==
  told' = IF cur[h].request = 0 THEN told ELSE [told EXCEPT ![cur[h].request] = what]
GoesOn(h, state) ==
  /\ Goes(h, "lead") /\ Sees(h, state) /\ Puts(h, NONE) /\ Tells(h, "yes") /\ UNCHANGED doubt
(* A term is over. The host keeps its state, as a replica. *)
Ends(h) == Goes(h, "idle") /\ Puts(h, NONE) /\ Sees(h, IF OldView THEN view[h] ELSE <<>>)
NotCommitted(h) == Ends(h) /\ Tells(h, "no") /\ UNCHANGED doubt
Unknown(h) ==
  /\ IF EndInDoubt THEN Ends(h) ELSE Goes(h, "lead") /\ Puts(h, NONE) /\ UNCHANGED view
  /\ doubt' = doubt \cup ({cur[h].request} \ {0}) /\ UNCHANGED told
Stays(h, where) == Goes(h, where) /\ UNCHANGED <<view, cur, told, doubt>>
Committed(h) ==
  IF cur[h].request = 0 /\ CheckMisled /\ Newest > Len(view[h])
  THEN Stays(h, "settle") ELSE GoesOn(h, Append(view[h], cur[h]))
Linked(h) == IF ValidateLink THEN Stays(h, "validate") ELSE Committed(h)

(* ---- a term begins ---- *)

Begin == IF TermRecord THEN "term" ELSE "lead"
Load(h) ==
  /\ At(h, "idle") /\ Sees(h, truth) /\ Goes(h, Begin)
  /\ UNCHANGED <<log, late, faults, cur, frees, callers, reader>>
(* A host reads on from its own state. With an old view of the directory the host misses newer
   checkpoints, and takes records in freed names for the log. *)
CatchUp(h) ==
  /\ At(h, "idle") /\ OldView /\ view[h] # <<>> /\ ReadOn(view[h]) # truth
  /\ Sees(h, ReadOn(view[h])) /\ Goes(h, Begin)
  /\ UNCHANGED <<log, late, faults, cur, frees, callers, reader>>
PrepareTerm(h) ==
  /\ At(h, "term") /\ Number(h) <= MaxRecord /\ Goes(h, "put")
  /\ Puts(h, [by |-> h, term |-> Term(view[h]) + 1, request |-> 0, prev |-> Key(Last(view[h]))])
  /\ UNCHANGED <<log, late, faults, view, frees, callers, reader>>

(* ---- a record is put ---- *)

Prepare(h) ==
  /\ At(h, "lead") /\ Number(h) <= MaxRecord /\ asked < MaxRequest /\ Goes(h, "put")
  /\ asked' = asked + 1
  /\ Puts(h, [by |-> h, term |-> Term(view[h]), request |-> asked', prev |-> Key(Last(view[h]))])
  /\ UNCHANGED <<log, late, faults, view, frees, told, doubt, fresh, refusals, stale, reader>>

Taken(n) == slot[n] # NONE
Link(n, r) == slot' = IF PutIfAbsent /\ Taken(n) THEN slot ELSE [slot EXCEPT ![n] = r]
Put(h) ==
  /\ At(h, "put") /\ Link(Number(h), cur[h])
  /\ IF PutIfAbsent /\ Taken(Number(h)) THEN Stays(h, "exists") ELSE Linked(h)
  /\ UNCHANGED <<ckpt, spoilt, late, faults, frees, asks, reader>>
(* The reply is lost. The link happened, perhaps repeated by the file system, or may yet happen. *)
PutInDoubt(h) ==
  /\ At(h, "put") /\ faults > 0 /\ faults' = faults - 1
  /\ \/ /\ ~Taken(Number(h)) /\ Link(Number(h), cur[h]) /\ late' = late
        /\ (Stays(h, "unknown") \/ Stays(h, "exists"))
     \/ /\ late' = late \cup {[n |-> Number(h), record |-> cur[h]]}
        /\ slot' = slot /\ Stays(h, "unknown")
  /\ UNCHANGED <<ckpt, spoilt, frees, asks, reader>>
Land ==
  \E l \in late :
    /\ late' = late \ {l} /\ Link(l.n, l.record)
    /\ UNCHANGED <<ckpt, spoilt, faults, pc, view, cur, frees, callers, reader>>

Exists(h) ==
  /\ At(h, "exists")
  /\ IF ~LookOnExists THEN NotCommitted(h)
     ELSE IF slot[Number(h)] = cur[h] THEN Linked(h) ELSE Stays(h, "settle")
  /\ UNCHANGED <<log, late, faults, frees, asks, reader>>
ReadersPass(h) == view[h] # <<>> /\ slot[Len(view[h])] = Last(view[h])
Validate(h) ==
  /\ At(h, "validate") /\ IF ReadersPass(h) THEN Committed(h) ELSE Stays(h, "settle")
  /\ UNCHANGED <<log, late, faults, frees, asks, reader>>

(* A fresh replay decides. A term record is committed if its term is the newest one; a request, if
   any record holds it. If another SDM has begun a term, this term is over. *)
Settle(h) ==
  /\ At(h, "settle")
  /\ LET own == Last(truth).by = h
         mine == IF cur[h].request = 0 THEN own /\ Term(truth) = cur[h].term
                 ELSE cur[h].request \in Requests(truth)
     IN CASE mine /\ own -> GoesOn(h, truth)
          [] mine /\ ~own -> Ends(h) /\ Tells(h, "yes") /\ UNCHANGED doubt
          [] ~mine /\ Len(truth) >= Number(h) -> NotCommitted(h)
          [] OTHER -> Unknown(h)
  /\ UNCHANGED <<log, late, faults, frees, asks, reader>>

NoOp(h) == [cur[h] EXCEPT !.request = 0, !.term = Term(view[h])]
Fill(h) ==
  /\ At(h, "unknown")
  /\ IF ~FillUnknown
     THEN slot' = slot /\ IF cur[h].request \in Requests(truth) THEN Stays(h, "settle")
                          ELSE NotCommitted(h)
     ELSE /\ Link(Number(h), NoOp(h))
          /\ CASE ~Taken(Number(h)) -> IF CheckFiller THEN Stays(h, "filled") ELSE NotCommitted(h)
               [] slot[Number(h)] = cur[h] -> Linked(h)
               [] OTHER -> Stays(h, "settle")
  /\ UNCHANGED <<ckpt, spoilt, late, faults, frees, asks, reader>>
Filled(h) ==
  /\ At(h, "filled") /\ IF ReadersPass(h) THEN NotCommitted(h) ELSE Stays(h, "settle")
  /\ UNCHANGED <<log, late, faults, frees, asks, reader>>
(* The storage fails for the no-op, too. *)
GiveUp(h) ==
  /\ At(h, "unknown") /\ FillUnknown /\ Unknown(h)
  /\ UNCHANGED <<log, late, faults, frees, asks, reader>>

(* ---- a request that changes nothing is refused: a new one, or one that was in doubt and is
        repeated ---- *)

Refuse(h) ==
  /\ At(h, "lead") /\ refusals < MaxRefusals /\ refusals' = refusals + 1
  /\ \E r \in {0} \cup (doubt \ Requests(view[h])) : Puts(h, [NONE EXCEPT !.request = r])
  /\ fresh' = [fresh EXCEPT ![h] = Len(truth)]
  /\ Goes(h, IF ConfirmRefusal THEN "confirm" ELSE "answer")
  /\ UNCHANGED <<log, late, faults, view, frees, asked, told, doubt, stale, reader>>
NextIsFree(h) == Number(h) > MaxRecord \/ slot[Number(h)] = NONE
(* An unconfirmed refusal is answered "unavailable", and the term is over. *)
Confirm(h) ==
  /\ \/ /\ At(h, "confirm")
        /\ IF (IF NextNameFirst THEN NextIsFree(h) ELSE ReadersPass(h))
           THEN Goes(h, "confirm2") /\ UNCHANGED <<view, cur>> ELSE Ends(h)
     \/ /\ At(h, "confirm2")
        /\ IF (IF NextNameFirst THEN ReadersPass(h) ELSE NextIsFree(h))
           THEN Goes(h, "answer") /\ UNCHANGED <<view, cur>> ELSE Ends(h)
  /\ UNCHANGED <<log, late, faults, frees, callers, reader>>
Answer(h) ==
  /\ At(h, "answer") /\ Tells(h, "no") /\ Goes(h, "lead") /\ Puts(h, NONE)
  /\ stale' = (stale \/ Len(view[h]) < fresh[h]) /\ fresh' = [fresh EXCEPT ![h] = 0]
  /\ UNCHANGED <<log, late, faults, view, frees, asked, doubt, refusals, reader>>

(* ---- checkpoints and freed names ---- *)

Checkpoint(h) ==
  /\ At(h, "lead") /\ Vacuums /\ view[h] # <<>> /\ ckpt[Len(view[h])] = <<>>
  /\ ckpt' = [ckpt EXCEPT ![Len(view[h])] = view[h]]
  /\ UNCHANGED <<slot, spoilt, late, faults, pc, view, cur, frees, callers, reader>>
Oldest == IF KeepTwo THEN (IF Cardinality(Whole) < 2 THEN 0 ELSE Max(Whole \ {Max(Whole)})) ELSE Base
Vacuum(h) ==
  /\ At(h, "lead") /\ Vacuums /\ frees[h] = {}
  /\ frees' = [frees EXCEPT ![h] =
       {n \in Numbers : (n < Oldest \/ (~KeepLast /\ n = Oldest))
                        /\ (slot[n] # NONE \/ (ckpt[n] # <<>> /\ n < Oldest))}]
  /\ frees'[h] # {}
  /\ UNCHANGED <<log, late, faults, pc, view, cur, callers, reader>>
Free(h) ==
  \E n \in frees[h] :
    /\ Ascending => \A m \in frees[h] : n <= m
    /\ frees' = [frees EXCEPT ![h] = @ \ {n}]
    /\ slot' = [slot EXCEPT ![n] = NONE]
    /\ ckpt' = IF KeepLast \/ n < Base THEN [ckpt EXCEPT ![n] = <<>>] ELSE ckpt
    /\ UNCHANGED <<spoilt, late, faults, pc, view, cur, callers, reader>>
(* A checkpoint becomes unreadable, after the host read it back. *)
Spoil ==
  /\ Cardinality(spoilt) < Spoils
  /\ \E n \in Checkpoints : (n = Newest /\ Cardinality(Checkpoints) > 1) /\ spoilt' = spoilt \cup {n}
  /\ UNCHANGED <<slot, ckpt, late, faults, pc, view, cur, frees, callers, reader>>

(* ---- a reader, step by step ---- *)

ReaderOnly == UNCHANGED <<log, late, faults, pc, view, cur, frees, callers>>
ReaderBegin ==
  /\ Reads /\ reader.pc = "off"
  /\ reader' = [pc |-> "base", base |-> Newest, state |-> <<>>, from |-> Len(truth)] /\ ReaderOnly
ReaderBase ==
  /\ reader.pc = "base"
  /\ reader' = IF Base >= reader.base THEN [reader EXCEPT !.pc = "tail", !.state = StateAt(reader.base)]
               ELSE [reader EXCEPT !.pc = "tail", !.state = StateAt(Base)]
  /\ ReaderOnly
ReaderTail ==
  /\ reader.pc = "tail"
  /\ LET n == Len(reader.state) + 1
         ends == n > MaxRecord \/ slot[n] = NONE
     IN reader' = CASE ends -> [reader EXCEPT !.pc = "recheck"]
                    [] ~ends /\ Follows(slot[n], reader.state) ->
                         [reader EXCEPT !.state = Append(@, slot[n])]
                    [] OTHER -> [reader EXCEPT !.pc = "damage"]
  /\ ReaderOnly
(* A newer checkpoint: freed names may hold any record. *)
ReaderRecheck ==
  /\ reader.pc \in {"recheck", "damage"}
  /\ reader' = IF Recheck /\ Newest # reader.base
               THEN [reader EXCEPT !.pc = "base", !.base = Newest, !.state = <<>>]
               ELSE [reader EXCEPT !.pc = IF @ = "damage" THEN "damaged" ELSE "done"]
  /\ ReaderOnly

Step ==
  \/ \E h \in Host :
       \/ Load(h) \/ CatchUp(h) \/ PrepareTerm(h) \/ Prepare(h) \/ Put(h) \/ PutInDoubt(h)
       \/ Exists(h) \/ Validate(h) \/ Settle(h) \/ Fill(h) \/ Filled(h) \/ GiveUp(h)
       \/ Refuse(h) \/ Confirm(h) \/ Answer(h)
       \/ Checkpoint(h) \/ Vacuum(h) \/ Free(h)
  \/ Land \/ Spoil \/ ReaderBegin \/ ReaderBase \/ ReaderTail \/ ReaderRecheck
Next == Step /\ truth' = IF log' = log THEN truth ELSE Replay'
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* Nothing acknowledged is lost. *)
AcknowledgedStays == \A r \in 1..MaxRequest : told[r] = "yes" => r \in Requests(truth)
(* A request reported as not committed never is. *)
DeniedStaysOut == \A r \in 1..MaxRequest : told[r] = "no" => r \notin Requests(truth)
OnlyOnce == \A i, j \in 1..Len(truth) : truth[i].request = truth[j].request /\ i # j
                                          => truth[i].request = 0
(* Plans rest on committed records. *)
LeaderSeesTheLog == \A h \in Host : pc[h] = "lead" => IsPrefix(view[h], truth)
(* A refusal rests on all records committed when its request arrived. *)
RefusalIsFresh == ~stale
(* A host is told that another one has overtaken it only if that is true. *)
SoleLeaderGoesOn == \A h \in Host : pc[h] = "lead" /\ view[h] = truth => ReadersPass(h)
(* A replica shows a prefix of the log, and nothing else. *)
ReaderSeesTheLog ==
  reader.pc = "done" => IsPrefix(reader.state, truth) /\ Len(reader.state) >= reader.from
ReaderFindsNoDamage == reader.pc # "damaged"
(* The log only grows. *)
OnlyGrows == [][IsPrefix(truth, truth')]_vars
=============================================================================
