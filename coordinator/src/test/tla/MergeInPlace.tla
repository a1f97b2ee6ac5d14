---------------------------- MODULE MergeInPlace ----------------------------
(* A weak image at the bottom, an image over it. Merges write the upper volume's
   data down into the lower file, which the image then takes over. Merges run on
   two hosts, and each run may be paused between any two steps. A guest opens
   the image to write, and closes it, at any time. A reader reads the weak image.

   What stands for what:
     Look              fix.MergeInPlaceFix.mayWrite, on the replica's state
     Begin             plan.BeginMergeInPlace (and Draft.rename)
     Write, Land, Flush  fix.LayerCopy into data.OverlayTarget.openShared
     Finish, InDoubt, Arrive  plan.FinishMergeInPlace, at once or later
     StopTools, Leave, Stuck  MergeInPlaceFix.leave, plan.LeaveMergeInPlace
     Prove             the host's life is over, with all its processes
     Open, Close       plan.OpenImage: gives a replacement up; a close begins
                       another fix (Draft.settleReplacement)
     Read, ReadNoMore  an open or a pin of the weak image itself

   The content of a window is a number: 0 in the weak image, 1 in the image
   above it at first, then the number of a write by the guest.

   Left out: claims (any run may try at any time); more than one weak image;
   the name of the file that the worker has chosen; durability, as it is in
   Fix.tla.

   Bounds: runs 1 and 2 on host 1, run 3 on host 2; Windows windows; the guest
   opens the image Opens times and writes Writes times: 340,000 states with 1
   of each. *)
EXTENDS Naturals, FiniteSets

CONSTANTS Windows, Opens, Writes

(* The defences. *)
CONSTANTS
  BeginByWriter,   \* a begin names the writer before, and is refused if the log has another one
  ProofOfWriter,   \* the writer before is known to write no more
  NoReaderAtBegin, \* a merge begins only when the file has no reader
  TakeNameAway,    \* after the begin no reader can find the weak image
  FinishByWriter,  \* only the writer that the log names finishes
  GiveUpAtOpen,    \* an open for writing gives the merge up
  StopBeforeLeave, \* a run lets go once its tools have ended
  KnowStuck        \* a host does not take a run for over merely because it has ended

Run == 1..3
HostOf == [r \in Run |-> IF r = 3 THEN 2 ELSE 1]
Host == {1, 2}
Window == 1..Windows

VARIABLES
  upper, lower,  \* the content of the two files, by window
  image,         \* the guest's writes, by window, which it must read
  done,          \* whether the image has taken over the lower file
  fix,           \* the fix that the log wants, 0 while the image is open
  fixes,         \* the number of fixes so far
  writer,        \* the run that the log names, or 0
  named,         \* whether the weak image can be found
  reading,       \* whether the reader has it open
  opened, opens, writes,
  progress,      \* by fix: the window that is done
  run,           \* of each run: how far it is
  flights,       \* writes that have not landed
  finishes,      \* runs whose request to finish is on its way
  over,          \* runs whose tools have ended, as their host knows
  proven         \* hosts whose life is proven to be over
vars == <<upper, lower, image, done, fix, fixes, writer, named, reading, opened, opens, writes,
          progress, run, flights, finishes, over, proven>>
log == <<done, fix, fixes, writer, named>>
guest == <<image, opened, opens, writes>>
knowledge == <<over, proven>>

New == [pc |-> "new", fix |-> 0, before |-> 0, offset |-> 0]
Init ==
  /\ upper = [w \in Window |-> 1] /\ lower = [w \in Window |-> 0] /\ image = [w \in Window |-> 1]
  /\ done = FALSE /\ fix = 1 /\ fixes = 1 /\ writer = 0 /\ named = TRUE /\ reading = FALSE
  /\ opened = FALSE /\ opens = 0 /\ writes = 0
  /\ progress = [f \in 1..Opens + 1 |-> 0]
  /\ run = [r \in Run |-> New] /\ flights = {} /\ finishes = {}
  /\ over = {} /\ proven = {}

At(r, where) == run[r].pc = where /\ HostOf[r] \notin proven
Goes(r, where) == run' = [run EXCEPT ![r].pc = where]
Own(r) == {x \in flights : x.by = r}

(* ---- a run ---- *)

SameHost(r, s) == HostOf[r] = HostOf[s]
IsOver(r, s) ==
  IF s = 0 THEN TRUE
  ELSE \/ HostOf[s] \in proven \/ (s \in over /\ SameHost(r, s))
       \/ ~KnowStuck /\ SameHost(r, s) /\ run[s].pc = "ended"
(* The replica may be behind, so the log may name another writer by now. *)
Look(r) ==
  /\ At(r, "new") /\ fix # 0 /\ ~done
  /\ \E s \in {0, writer} :
       /\ ProofOfWriter => IsOver(r, s)
       /\ run' = [run EXCEPT ![r] = [New EXCEPT !.pc = "begin", !.fix = fix, !.before = s]]
  /\ UNCHANGED <<upper, lower, log, reading, guest, progress, flights, finishes, knowledge>>
Ends(r) == run' = [run EXCEPT ![r] = [New EXCEPT !.pc = "ended", !.fix = run[r].fix]]
Wanted(r) == ~done /\ (fix = run[r].fix \/ ~GiveUpAtOpen)
GoesOnWith(r) == writer # 0 /\ run[writer].fix = run[r].fix
(* A run continues where the run before has stopped. It begins anew if another run has made a new
   volume for the same fix in between, whose checkpoint is the newest. *)
Begin(r) ==
  /\ At(r, "begin")
  /\ IF /\ Wanted(r)
        /\ BeginByWriter => writer \in {0, run[r].before}
        /\ NoReaderAtBegin => GoesOnWith(r) \/ ~reading
     THEN /\ writer' = r /\ named' = (named /\ ~TakeNameAway)
          /\ \E reached \in {0, progress[run[r].fix]} :
               run' = [run EXCEPT ![r] = [@ EXCEPT !.pc = "write", !.before = 0, !.offset = reached]]
     ELSE Ends(r) /\ UNCHANGED <<writer, named>>
  /\ UNCHANGED <<upper, lower, done, fix, fixes, reading, guest, progress, flights, finishes,
                 knowledge>>
Write(r) ==
  /\ At(r, "write") /\ run[r].offset < Windows /\ Goes(r, "written")
  /\ LET w == run[r].offset + 1
     IN flights' = flights \cup {[by |-> r, window |-> w, what |-> upper[w]]}
  /\ UNCHANGED <<upper, lower, log, reading, guest, progress, finishes, knowledge>>
Land ==
  \E x \in flights :
    /\ flights' = flights \ {x} /\ lower' = [lower EXCEPT ![x.window] = x.what]
    /\ UNCHANGED <<upper, log, reading, guest, progress, run, finishes, knowledge>>
Flush(r) ==
  /\ At(r, "written") /\ Own(r) = {}
  /\ run' = [run EXCEPT ![r].pc = "write", ![r].offset = @ + 1]
  /\ progress' = [progress EXCEPT ![run[r].fix] = run[r].offset + 1]
  /\ UNCHANGED <<upper, lower, log, reading, guest, flights, finishes, knowledge>>

Accepts(r) == Wanted(r) /\ (FinishByWriter => writer = r)
TakesOver == done' = TRUE /\ fix' = 0 /\ writer' = 0
Ready(r) == At(r, "write") /\ run[r].offset = Windows
Finish(r) ==
  /\ Ready(r)
  /\ IF Accepts(r) THEN TakesOver /\ Ends(r) ELSE Goes(r, "stop") /\ UNCHANGED <<done, fix, writer>>
  /\ UNCHANGED <<upper, lower, fixes, named, reading, guest, progress, flights, finishes, knowledge>>
InDoubt(r) ==
  /\ Ready(r) /\ finishes' = finishes \cup {r} /\ Goes(r, "stop")
  /\ UNCHANGED <<upper, lower, log, reading, guest, progress, flights, knowledge>>
Arrive ==
  \E r \in finishes :
    /\ finishes' = finishes \ {r}
    /\ IF Accepts(r) THEN TakesOver ELSE UNCHANGED <<done, fix, writer>>
    /\ UNCHANGED <<upper, lower, fixes, named, reading, guest, progress, run, flights, knowledge>>

(* The run is told to stop, or has failed. *)
Stop(r) ==
  /\ run[r].pc \in {"write", "written"} /\ HostOf[r] \notin proven /\ Goes(r, "stop")
  /\ UNCHANGED <<upper, lower, log, reading, guest, progress, flights, finishes, knowledge>>
StopTools(r) ==
  /\ At(r, "stop") /\ Goes(r, "leave") /\ over' = over \cup {r}
  /\ flights' = IF StopBeforeLeave THEN flights \ Own(r) ELSE flights
  /\ UNCHANGED <<upper, lower, log, reading, guest, progress, finishes, proven>>
Leave(r) ==
  /\ At(r, "leave") /\ Ends(r) /\ writer' = IF writer = r THEN 0 ELSE writer
  /\ UNCHANGED <<upper, lower, done, fix, fixes, named, reading, guest, progress, flights, finishes,
                 knowledge>>
Stuck(r) ==
  /\ At(r, "stop") /\ Own(r) # {} /\ Ends(r)
  /\ UNCHANGED <<upper, lower, log, reading, guest, progress, flights, finishes, knowledge>>
Prove(h) ==
  /\ h \notin proven /\ proven' = proven \cup {h}
  /\ flights' = {x \in flights : HostOf[x.by] # h}
  /\ UNCHANGED <<upper, lower, log, reading, guest, progress, run, finishes, over>>

(* ---- users of the images ---- *)

Open ==
  /\ ~opened /\ opens < Opens /\ opened' = TRUE /\ opens' = opens + 1
  /\ fix' = 0
  /\ UNCHANGED <<upper, lower, image, done, fixes, writer, named, reading, writes, progress, run,
                 flights, finishes, knowledge>>
GuestWrites ==
  /\ opened /\ writes < Writes /\ writes' = writes + 1
  /\ \E w \in Window :
       /\ image' = [image EXCEPT ![w] = writes + 2]
       /\ IF done THEN lower' = [lower EXCEPT ![w] = writes + 2] /\ UNCHANGED upper
          ELSE upper' = [upper EXCEPT ![w] = writes + 2] /\ UNCHANGED lower
  /\ UNCHANGED <<log, reading, opened, opens, progress, run, flights, finishes, knowledge>>
Close ==
  /\ opened /\ opened' = FALSE
  /\ IF done THEN UNCHANGED <<fix, fixes>> ELSE fixes' = fixes + 1 /\ fix' = fixes + 1
  /\ UNCHANGED <<upper, lower, image, done, writer, named, reading, opens, writes, progress, run,
                 flights, finishes, knowledge>>
Read ==
  /\ named /\ ~done /\ ~reading /\ reading' = TRUE
  /\ UNCHANGED <<upper, lower, log, guest, progress, run, flights, finishes, knowledge>>
ReadNoMore ==
  /\ reading /\ reading' = FALSE
  /\ UNCHANGED <<upper, lower, log, guest, progress, run, flights, finishes, knowledge>>

Next ==
  \/ \E r \in Run : \/ Look(r) \/ Begin(r) \/ Write(r) \/ Flush(r) \/ Finish(r) \/ InDoubt(r)
                    \/ Stop(r) \/ StopTools(r) \/ Leave(r) \/ Stuck(r)
  \/ \E h \in Host : Prove(h)
  \/ Land \/ Arrive \/ Open \/ GuestWrites \/ Close \/ Read \/ ReadNoMore
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* The image shows the last write to it, at any time, whichever file is its own. *)
ImageIsRight == \A w \in Window : image[w] = IF done THEN lower[w] ELSE upper[w]
(* A reader of the weak image itself sees its unchanged content. *)
ReaderIsRight == reading => \A w \in Window : lower[w] = 0
=============================================================================
