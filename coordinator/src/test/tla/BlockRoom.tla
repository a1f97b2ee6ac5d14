----------------------------- MODULE BlockRoom -----------------------------
(* The room of the log on blocks: the places of a ring are used again, and so are the
   areas for checkpoints, which the cells name. A new leader, or a reader, reads the
   cells and the ring while others go on. A checkpoint may be spoilt.

   What stands for what (package io.quarry.agent.storage.block):
     Append               OwnRing.take: a frame goes to the place of the frame a ring's length before
     Floor                Cells.floor
     Checkpoint .. Name   BlockSlotStore.putCheckpoint, freeArea; CheckpointAreas.write, readBack
     Stop                 an error, or the end of the process
     Cells .. LookAgain   Machine.readOn
     Follow               Machine.settle

   Who decides a record is the subject of BlockLog: here all that is appended is a
   record. One ring and one cell stand for those of all hosts. A frame has one place,
   and places are read in any order.

   Left out, and simulated (BlockInterleavingsTest, RingReuseTest): segments, reach,
   frames of several places, writes that land late.

   Bounds: MaxNumber records, Places places, Areas areas: 35,000 states with a reader. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
  MaxNumber, Places, Areas,
  Spoils,     \* how many checkpoints become unreadable after they were read back
  BadWrites,  \* how many checkpoints are written otherwise than they should be
  Reads       \* whether the reader runs

(* The defences. *)
CONSTANTS
  SecondNewest,  \* a frame is written over only under the second newest checkpoint
  SpareTwo,      \* a checkpoint is not written over one of the two newest
  ReadBack,      \* a checkpoint is read back before a cell names it
  NameLast,      \* a cell names a checkpoint after it was written
  CellsAgain     \* the cells are read again after the ring, until nothing has changed

Place == 0..(Places - 1)
Area == 1..Areas

VARIABLES
  len,        \* so many records are decided
  ring,       \* the number of the frame at each place; 0: void
  content,    \* the last record that the checkpoint in each area covers; 0: nothing readable
  named,      \* the same as the cells say; 0: none
  writer,     \* of a checkpoint
  reader,
  spoils, bad
vars == <<len, ring, content, named, writer, reader, spoils, bad>>

Max(S) == CHOOSE n \in S : \A m \in S : m <= n
Numbers(cells) == {cells[a] : a \in Area} \ {0}
Newest(cells) == Max({0} \cup Numbers(cells))
Second(cells) == Max({0} \cup (Numbers(cells) \ {Newest(cells)}))
Floor == IF SecondNewest THEN Second(named) ELSE Newest(named)
OFF == [pc |-> "off", area |-> 0, n |-> 0]

Init ==
  /\ len = 0 /\ ring = [p \in Place |-> 0]
  /\ content = [a \in Area |-> 0] /\ named = content
  /\ writer = OFF /\ spoils = Spoils /\ bad = BadWrites
  /\ reader = [pc |-> "off", cells |-> named, found |-> {}, unread |-> {}, from |-> 0]

(* Frames from the floor on stay. *)
Append ==
  LET n == len + 1 IN
  /\ n <= MaxNumber /\ ring[n % Places] < (IF Floor = 0 THEN 1 ELSE Floor)
  /\ len' = n /\ ring' = [ring EXCEPT ![n % Places] = n]
  /\ UNCHANGED <<content, named, writer, reader, spoils, bad>>

(* ---- a checkpoint ---- *)

Spared == IF SpareTwo THEN {Newest(named), Second(named)} ELSE {Newest(named)}
Named(a, n) == named' = [named EXCEPT ![a] = n]
FreeArea == LET free == {a \in Area : named[a] = 0 \/ named[a] \notin Spared} IN
  CHOOSE a \in free : \A b \in free : a <= b
Checkpoint ==
  /\ writer.pc = "off" /\ len > Newest(named)
  /\ writer' = [pc |-> "write", area |-> FreeArea, n |-> len]
  /\ content' = [content EXCEPT ![FreeArea] = 0]
  /\ IF NameLast THEN UNCHANGED named ELSE Named(FreeArea, len)
  /\ UNCHANGED <<len, ring, reader, spoils, bad>>
Written ==
  /\ writer.pc = "write" /\ writer' = [writer EXCEPT !.pc = IF ReadBack THEN "check" ELSE "name"]
  /\ \/ content' = [content EXCEPT ![writer.area] = writer.n] /\ UNCHANGED bad
     \/ bad > 0 /\ bad' = bad - 1 /\ UNCHANGED content
  /\ UNCHANGED <<len, ring, named, reader, spoils>>
Check ==
  /\ writer.pc = "check"
  /\ writer' = IF content[writer.area] = writer.n THEN [writer EXCEPT !.pc = "name"] ELSE OFF
  /\ UNCHANGED <<len, ring, content, named, reader, spoils, bad>>
Name ==
  /\ writer.pc = "name" /\ writer' = OFF /\ Named(writer.area, writer.n)
  /\ UNCHANGED <<len, ring, content, reader, spoils, bad>>
(* The process ends, or the device fails. *)
Stop ==
  /\ writer.pc # "off" /\ writer' = OFF
  /\ UNCHANGED <<len, ring, content, named, reader, spoils, bad>>
Spoil ==
  /\ spoils > 0 /\ spoils' = spoils - 1
  /\ \E a \in Area : named[a] # 0 /\ content' = [content EXCEPT ![a] = 0]
  /\ UNCHANGED <<len, ring, named, writer, reader, bad>>

(* ---- a reader ---- *)

ReaderOnly == UNCHANGED <<len, ring, content, named, writer, spoils, bad>>
Cells ==
  /\ Reads /\ reader.pc = "off"
  /\ reader' = [pc |-> "read", cells |-> named, found |-> {}, unread |-> Place, from |-> len]
  /\ ReaderOnly
ReadPlace ==
  /\ reader.pc = "read"
  /\ \E p \in reader.unread :
       reader' = [reader EXCEPT
         !.found = @ \cup ({ring[p]} \ {0}), !.unread = @ \ {p},
         !.pc = IF reader.unread = {p} THEN "again" ELSE "read"]
  /\ ReaderOnly
LookAgain ==
  /\ reader.pc = "again"
  /\ reader' = IF CellsAgain /\ named # reader.cells
               THEN [reader EXCEPT !.pc = "read", !.cells = named, !.unread = Place]
               ELSE [reader EXCEPT !.pc = "done"]
  /\ ReaderOnly
Forget ==
  /\ reader.pc = "done"
  /\ reader' = [pc |-> "off", cells |-> [a \in Area |-> 0], found |-> {}, unread |-> {}, from |-> 0]
  /\ ReaderOnly

Next ==
  \/ Append \/ Checkpoint \/ Written \/ Check \/ Name \/ Stop \/ Spoil
  \/ Cells \/ ReadPlace \/ LookAgain \/ Forget
Spec == Init /\ [][Next]_vars

RECURSIVE Follow(_, _)
Follow(n, found) == IF n + 1 \in found THEN Follow(n + 1, found) ELSE n
Whole == {named[a] : a \in {b \in Area : content[b] = named[b]}} \cap {Newest(named), Second(named)}
On == {ring[p] : p \in Place}

(* ---- what must hold ---- *)

(* The records that the newest readable checkpoint does not cover are in the ring. *)
RecordsStay == Follow(Max({0} \cup Whole), On) >= len
(* Who reads misses nothing: a leader would write the number again. *)
ReaderMissesNothing ==
  reader.pc = "done" => Follow(Newest(reader.cells), reader.found) >= reader.from
=============================================================================
