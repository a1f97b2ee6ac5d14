------------------------------ MODULE BlockLog ------------------------------
(* The commit log on a device that many hosts write to, without put-if-absent.
   Each host writes only its own cell, which holds its ballot, and its own ring,
   which holds its frames. Any host may stop between any two steps, for ever,
   and any step may fail.

   What stands for what (package io.quarry.agent.storage.block, if nothing else
   is said):
     Announce, Read, Look      Leader.lead: the cell, then the rings, then the cells again
     Settle, Last, HasGap      Records.settle, hasGap
     Adopt                     Leader.adopt
     Put                       Leader.put
     Force, Decide             the end of BlockDevice.write, and the look at the cells after it
     Fail                      an error, after which the host does not lead
     Delay, Land               a write without an answer, which lands late or never
     Again                     BlockSlotStore.PutAttempt.tryOnce, after another host has led
     Fill, Settled             log.CommitLog.settleUnknown
     ReaderRead .. ReaderAgain BlockSlotStore.refresh, isDurable, on a host that does not lead
     Note, ReaderNote          BlockSlotStore.writeHead

   A record is a number: the how many-th put it was. A frame has its number n, its
   ballot b, its record v, and the record before, p, which stands for the hash.

   More hostile than the code, on purpose: a host may have read the cells long
   before it announces, so it announces any ballot above its own last one. A note
   names any frame of the record. A put in doubt may be tried again as well as
   filled. A device that loses its power (Cut) fails only the writes that are not
   forced yet, and all hosts go on with what they have read.
   Simpler than the code, on purpose: the cells are read in one step, since each
   cell is judged alone, and so is one ring. A host that starts again has not
   forgotten what it has read.

   Left out: room that is used again, checkpoints (BlockRoom), slots (BlockSlots).
   Left out, and simulated (BlockInterleavingsTest): segments, torn frames, damage.

   Bounds: hosts 1 and 2, MaxNumber numbers, MaxPuts puts and fillers, MaxCounter
   ballots of each host. There are scenarios, of 15,000 to 70,000 states each. *)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
  MaxNumber, MaxPuts, MaxCounter,
  Faults,     \* how many writes may land late
  Cuts,       \* how often the device loses its power
  Reads       \* whether the reader runs

(* The defences, each with a switch. *)
CONSTANTS
  PromiseFirst,   \* a leader announces its ballot before it reads the rings
  PromiseForced,  \* the announcement is forced
  HighestBallot,  \* of several frames of a number, that of the highest ballot counts
  WriteAgain,     \* a leader writes the last frame again, with its own ballot
  LookAfterWrite, \* after a frame the leader looks at the ballots
  BallotEnds,     \* after an error no other frame is written with that ballot
  AskNextTerm,    \* the next term decides the outcome of a put that was overtaken or failed
  ReaderLooks,    \* a reader takes the last frame only if no ballot is higher
  CellsLast,      \* the reader looks at the cells after the rings
  NoteOfBallot,   \* a head note proves only a frame of its ballot
  ReaderForces,   \* the reader forces the device before it takes the last frame
  ReadAgain       \* and then reads that frame again

Host == {1, 2}
NONE == [n |-> 0, b |-> 0, v |-> 0, p |-> 0]
NOPUT == [n |-> 0, v |-> 0]

VARIABLES
  cell, kept,     \* each host's ballot, as it is read, and as a power cut leaves it
  frames, loose,  \* all frames that are on the device, and those that a power cut may take
  late,           \* frames that may still land
  note,           \* the head note that a reader finds: a number and a ballot
  faults, cuts, made,
  decided,        \* what somebody took for the record of each number, first
  split,          \* somebody else took another one
  denied,         \* puts that are reported as not committed
  pc, ballot, view, seen, unread, own, cur,  \* of each host; own: its frame under way; cur: its put
  reader
device == <<cell, kept, frames, loose, late, note>>
limits == <<faults, cuts, made>>
truth == <<decided, split>>
host == <<pc, ballot, view, seen, unread, own, cur>>
vars == <<device, limits, truth, denied, host, reader>>

Owner(b) == 1 + (b % 2)
Ballots(h) == {b \in 2..(2 * MaxCounter + 1) : Owner(b) = h}
LastOf(s) == IF s = <<>> THEN 0 ELSE s[Len(s)]
Best(S) ==
  IF HighestBallot THEN CHOOSE f \in S : \A g \in S : g.b <= f.b
  ELSE CHOOSE f \in S : \A g \in S : g.b >= f.b
Highest == IF cell[1] > cell[2] THEN cell[1] ELSE cell[2]
Above(b) == Highest > b

After(s, fs) == {f \in fs : f.n = Len(s) + 1 /\ f.p = LastOf(s)}
Beyond(s, fs) == {f \in fs : f.n = Len(s) + 2}
RECURSIVE Settle(_, _)
Settle(s, fs) ==
  IF Beyond(s, fs) = {} THEN s
  ELSE LET named == Best(Beyond(s, fs)).p IN
       IF \E f \in After(s, fs) : f.v = named THEN Settle(Append(s, named), fs) ELSE s
Last(s, fs) ==
  IF After(s, fs) = {} \/ Beyond(s, fs) # {} THEN NONE ELSE Best(After(s, fs))
HasGap(s, fs) ==
  \E f \in fs : f.n > (IF Last(s, fs) = NONE THEN Len(s) ELSE Len(s) + 1)

(* A process takes a sequence of records for the log. *)
Takes(s) ==
  /\ decided' = [n \in 1..MaxNumber |->
       IF decided[n] = 0 /\ n <= Len(s) THEN s[n] ELSE decided[n]]
  /\ split' = (split \/ \E n \in 1..Len(s) : decided[n] # 0 /\ decided[n] # s[n])

Init ==
  /\ cell = [h \in Host |-> 0] /\ kept = cell /\ frames = {} /\ loose = {} /\ late = {}
  /\ note = [n |-> 0, b |-> 0]
  /\ faults = Faults /\ cuts = Cuts /\ made = 0
  /\ decided = [n \in 1..MaxNumber |-> 0] /\ split = FALSE
  /\ denied = {}
  /\ pc = [h \in Host |-> "idle"] /\ ballot = [h \in Host |-> 0]
  /\ view = [h \in Host |-> <<>>] /\ seen = [h \in Host |-> {}]
  /\ unread = [h \in Host |-> {}] /\ own = [h \in Host |-> NONE] /\ cur = [h \in Host |-> NOPUT]
  /\ reader = [pc |-> "off", view |-> <<>>, seen |-> {}, unread |-> {}, frame |-> NONE, high |-> 0]

At(h, where) == pc[h] = where
Goes(h, where) == pc' = [pc EXCEPT ![h] = where]
Sees(h, s) == view' = [view EXCEPT ![h] = s]
Idle(h) ==
  /\ Goes(h, "idle") /\ ballot' = [ballot EXCEPT ![h] = 0] /\ unread' = [unread EXCEPT ![h] = {}]
  /\ own' = [own EXCEPT ![h] = NONE]

(* ---- a term ---- *)

Announce(h) ==
  /\ At(h, "idle")
  /\ \E b \in Ballots(h) :
       /\ b > cell[h] /\ cell' = [cell EXCEPT ![h] = b] /\ ballot' = [ballot EXCEPT ![h] = b]
  /\ kept' = IF PromiseForced THEN cell' ELSE kept
  /\ IF PromiseFirst THEN Goes(h, "read") /\ unread' = [unread EXCEPT ![h] = Host]
     ELSE Goes(h, "look") /\ UNCHANGED unread
  /\ UNCHANGED <<frames, loose, late, note, limits, truth, denied, view, seen, own, cur, reader>>
(* Without the defence: the rings first. *)
ReadEarly(h) ==
  /\ ~PromiseFirst /\ At(h, "idle") /\ seen' = [seen EXCEPT ![h] = @ \cup frames]
  /\ UNCHANGED <<device, limits, truth, denied, pc, ballot, view, unread, own, cur, reader>>
Read(h) ==
  /\ At(h, "read")
  /\ \E o \in unread[h] :
       /\ seen' = [seen EXCEPT ![h] = @ \cup {f \in frames : Owner(f.b) = o}]
       /\ unread' = [unread EXCEPT ![h] = @ \ {o}]
       /\ Goes(h, IF unread[h] = {o} THEN "look" ELSE "read")
  /\ UNCHANGED <<device, limits, truth, denied, ballot, view, own, cur, reader>>
(* The look saves work, and is no defence: the next frame's look would find the higher ballot. *)
Look(h) ==
  LET s == Settle(view[h], seen[h])
      last == Last(s, seen[h])
      all == IF last = NONE \/ WriteAgain THEN s ELSE Append(s, last.v)
  IN /\ At(h, "look")
     /\ IF Above(ballot[h]) \/ HasGap(s, seen[h]) THEN Idle(h) /\ UNCHANGED <<view, truth>>
        ELSE /\ Goes(h, IF last # NONE /\ WriteAgain THEN "adopt" ELSE "lead")
             /\ Sees(h, all) /\ Takes(all) /\ UNCHANGED <<ballot, unread, own>>
     /\ UNCHANGED <<device, limits, denied, seen, cur, reader>>

(* ---- a frame ---- *)

Frame(h, v) == [n |-> Len(view[h]) + 1, b |-> ballot[h], v |-> v, p |-> LastOf(view[h])]
(* Without power cuts to come, what is written is forced. *)
Write(h, v) ==
  LET f == Frame(h, v) IN
  /\ frames' = frames \cup {f} /\ loose' = IF cuts > 0 THEN loose \cup {f} ELSE loose
  /\ seen' = [seen EXCEPT ![h] = @ \cup {f}]
  /\ own' = [own EXCEPT ![h] = f]
  /\ Goes(h, IF cuts > 0 THEN "written" ELSE "forced")
  /\ UNCHANGED <<cell, kept, late, note, faults, cuts, truth, denied, ballot, view, unread, reader>>
Free(h) == At(h, "lead") /\ Len(view[h]) < MaxNumber
Make == made < MaxPuts /\ made' = made + 1

Adopt(h) ==
  /\ At(h, "adopt") /\ Write(h, Last(view[h], seen[h]).v) /\ UNCHANGED <<made, cur>>
Put(h) ==
  /\ Free(h) /\ cur[h] = NOPUT /\ Make /\ Write(h, made')
  /\ cur' = [cur EXCEPT ![h] = [n |-> Len(view[h]) + 1, v |-> made']]
Doubts(h) == Free(h) /\ cur[h] # NOPUT /\ Len(view[h]) < cur[h].n
Again(h) == Doubts(h) /\ Write(h, cur[h].v) /\ UNCHANGED <<made, cur>>
Fill(h) == Doubts(h) /\ Make /\ Write(h, made') /\ UNCHANGED cur
Force(h) ==
  /\ At(h, "written") /\ Goes(h, "forced") /\ loose' = {} /\ kept' = cell
  /\ UNCHANGED <<cell, frames, late, note, limits, truth, denied, ballot, view, seen, unread, own, cur,
                 reader>>
Decide(h) ==
  LET s == Append(view[h], own[h].v) IN
  /\ At(h, "forced")
  /\ IF LookAfterWrite /\ Above(ballot[h])
     THEN Idle(h) /\ UNCHANGED <<view, cur, truth>>
     ELSE /\ Goes(h, "lead") /\ Sees(h, s) /\ Takes(s) /\ own' = [own EXCEPT ![h] = NONE]
          /\ IF cur[h].v = own[h].v THEN cur' = [cur EXCEPT ![h] = NOPUT] ELSE UNCHANGED cur
          /\ UNCHANGED <<ballot, unread>>
  /\ UNCHANGED <<device, limits, denied, seen, reader>>
(* The outcome of a put that was overtaken, or that has failed. *)
Settled(h) ==
  /\ cur[h] # NOPUT
  /\ IF AskNextTerm THEN At(h, "lead") /\ Len(view[h]) >= cur[h].n ELSE At(h, "idle")
  /\ IF AskNextTerm /\ view[h][cur[h].n] = cur[h].v THEN UNCHANGED denied
     ELSE denied' = denied \cup {cur[h].v}
  /\ cur' = [cur EXCEPT ![h] = NOPUT]
  /\ UNCHANGED <<device, limits, truth, pc, ballot, view, seen, unread, own, reader>>

(* ---- failures ---- *)

Fail(h) ==
  /\ ~At(h, "idle")
  /\ IF At(h, "forced") /\ ~BallotEnds
     THEN Goes(h, "lead") /\ own' = [own EXCEPT ![h] = NONE] /\ UNCHANGED <<ballot, unread>>
     ELSE Idle(h)
  /\ UNCHANGED <<device, limits, truth, denied, view, seen, cur, reader>>
Delay(h) ==
  /\ Free(h) /\ cur[h] = NOPUT /\ Make /\ faults > 0 /\ faults' = faults - 1
  /\ late' = late \cup {Frame(h, made')}
  /\ cur' = [cur EXCEPT ![h] = [n |-> Len(view[h]) + 1, v |-> made']]
  /\ Idle(h)
  /\ UNCHANGED <<cell, kept, frames, loose, note, cuts, truth, denied, view, seen, reader>>
Land ==
  /\ \E f \in late :
       /\ late' = late \ {f} /\ frames' = frames \cup {f}
       /\ loose' = IF cuts > 0 THEN loose \cup {f} ELSE loose
  /\ UNCHANGED <<cell, kept, note, limits, truth, denied, host, reader>>
Cut ==
  /\ cuts > 0 /\ cuts' = cuts - 1 /\ cell' = kept
  /\ \E lost \in SUBSET loose : frames' = frames \ lost
  /\ loose' = {}
  /\ LET under == {h \in Host : At(h, "written")} IN
       /\ pc' = [h \in Host |-> IF h \in under THEN "idle" ELSE pc[h]]
       /\ ballot' = [h \in Host |-> IF h \in under THEN 0 ELSE ballot[h]]
       /\ own' = [h \in Host |-> IF h \in under THEN NONE ELSE own[h]]
  /\ UNCHANGED <<kept, late, note, faults, made, truth, denied, view, seen, unread, cur, reader>>

Note(h) ==
  /\ Reads /\ At(h, "lead") /\ view[h] # <<>>
  /\ \E f \in seen[h] :
       /\ f.n = Len(view[h]) /\ f.v = LastOf(view[h]) /\ note' = [n |-> f.n, b |-> f.b]
  /\ UNCHANGED <<cell, kept, frames, loose, late, limits, truth, denied, host, reader>>

(* ---- a reader ---- *)

ReaderOnly == UNCHANGED <<limits, denied, host>>
ReaderBegin ==
  /\ Reads /\ reader.pc = "off"
  /\ reader' = [reader EXCEPT !.pc = "read", !.unread = Host,
                                      !.high = IF CellsLast THEN 0 ELSE Highest]
  /\ UNCHANGED <<device, truth>> /\ ReaderOnly
ReaderRead ==
  /\ reader.pc = "read"
  /\ \E o \in reader.unread :
       reader' = [reader EXCEPT
         !.seen = @ \cup {f \in frames : Owner(f.b) = o}, !.unread = @ \ {o},
         !.pc = IF reader.unread = {o} THEN "look" ELSE "read"]
  /\ UNCHANGED <<device, truth>> /\ ReaderOnly
ReaderNote ==
  /\ reader.view # <<>>
  /\ \E f \in reader.seen :
       /\ f.n = Len(reader.view) /\ f.v = LastOf(reader.view) /\ note' = [n |-> f.n, b |-> f.b]
  /\ UNCHANGED <<cell, kept, frames, loose, late, truth, reader>> /\ ReaderOnly
Proves(f) == note.n >= f.n /\ (note.b = f.b \/ ~NoteOfBallot)
ReaderTakes(s) == Takes(s) /\ reader' = [reader EXCEPT !.pc = "off", !.view = s, !.frame = NONE]
ReaderLook ==
  LET s == Settle(reader.view, reader.seen)
      last == Last(s, reader.seen)
      proven == {f \in After(s, reader.seen) : Proves(f)}
      high == IF CellsLast THEN Highest ELSE reader.high
      certain == CASE last = NONE -> NONE
                   [] ~ReaderLooks \/ high <= last.b -> last
                   [] proven # {} -> Best(proven)
                   [] OTHER -> NONE
  IN /\ reader.pc = "look"
     /\ IF certain = NONE THEN ReaderTakes(s)
        ELSE IF Cuts = 0 THEN ReaderTakes(Append(s, certain.v))
        ELSE /\ Takes(s)
             /\ reader' = [reader EXCEPT !.pc = IF ReaderForces THEN "force" ELSE "again",
                                        !.view = s, !.frame = certain]
     /\ UNCHANGED device /\ ReaderOnly
ReaderForce ==
  /\ reader.pc = "force" /\ loose' = {} /\ kept' = cell
  /\ reader' = [reader EXCEPT !.pc = "again"]
  /\ UNCHANGED <<cell, frames, late, note, truth>> /\ ReaderOnly
ReaderAgain ==
  /\ reader.pc = "again"
  /\ ReaderTakes(IF reader.frame \in frames \/ ~ReadAgain THEN Append(reader.view, reader.frame.v)
                 ELSE reader.view)
  /\ UNCHANGED device /\ ReaderOnly

Next ==
  \/ \E h \in Host :
       \/ Announce(h) \/ ReadEarly(h) \/ Read(h) \/ Look(h)
       \/ Adopt(h) \/ Put(h) \/ Again(h) \/ Fill(h) \/ Force(h) \/ Decide(h) \/ Settled(h)
       \/ Fail(h) \/ Delay(h) \/ Note(h)
  \/ Land \/ Cut \/ ReaderBegin \/ ReaderRead \/ ReaderLook \/ ReaderForce \/ ReaderAgain
  \/ ReaderNote
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* A number has one record, whoever looks, for ever: so no acknowledged put is lost. *)
OneRecord == ~split
(* A put that is reported as not committed never is. *)
DeniedStaysOut == \A n \in 1..MaxNumber : decided[n] \notin denied
=============================================================================
