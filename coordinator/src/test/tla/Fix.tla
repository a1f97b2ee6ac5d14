-------------------------------- MODULE Fix --------------------------------
(* One fix that copies data into a new volume, window by window, and the
   workers that take the fix over from each other. A worker is one life of a
   host. A worker may be paused between any two steps and continue at any time.
   Its writes, and those of its child processes, may land long after its end.

   What stands for what (package io.quarry.agent.fix, if nothing else is
   said):
     See, Take         EpochClaim.take: WorkStore.newestClaim, claim
     Start             EarlierWork.of, Predecessors.allOver, RawCopy.start
     Save              RunningFix.save: progress.<epoch>
     Write, Land, Flush  data.WindowCopier, data.RawTarget
     LetGo, Stuck      FixExecution.letGo: Children.stopAll, Checkpoint.letGo; LocalWriters
     Publish, InDoubt, Arrive  Publication, plan.FinishMend and
                       plan.FinishReplacement in the log, at once or later
     Tidy, Discard     Publication: VolumeFiles.removeOthers, discard
     OwnOrEarlier      plan.Volume.mayBePublished
     Prove             a life is over: guardian.Guardian and
                       guardian.DeathNotice (see Guardian.tla), or a person
     PowerLoss         a host that loses the content of its caches
     Guest             a virtual machine that uses the published file

   Every worker of a raw copy writes the same bytes to the same place. So a
   late write does harm only where a guest has written since.

   Left out: the queue in ZooKeeper (a hint), retries and pauses, room on the
   storage, and light fixes (each grant is an epoch with a file of its own).
   Also the look at newer claims before publishing, on which safety does not
   rest, and WorkStore.forget after publishing, since claims check the log again.

   Bounds: Workers lives, MaxEpoch epochs, Windows windows, one guest: 590,000
   states with 2 lives, 3 epochs and 2 windows. *)
EXTENDS Naturals, FiniteSets

CONSTANTS Workers, MaxEpoch, Windows, PowerLosses

(* The defences. *)
CONSTANTS
  LinkClaims,    \* a worker takes an epoch by a link, which succeeds for one worker only
  EpochFiles,    \* without proof of death a successor begins a file of its own
  EarlierOnly,   \* no worker continues in the file of a later epoch
  ProofOfAll,    \* a worker needs proof for all claims since the checkpoint, not for one
  GoneBeforeProof, \* a life is proven dead only after all its processes have ended
  StopBeforeRelease, \* a worker lets go only after all its processes have ended
  KnowLoose,     \* a life remembers its children that could not be killed
  FlushFirst,    \* a window counts once it is durable
  FirstWins,     \* a volume is published once
  KeepPublished  \* a worker that comes too late checks whether its file is the published one

Worker == 1..Workers
Epoch == 1..MaxEpoch   \* also the name of that epoch's file
Window == 1..Windows
Nothing == [file |-> 0, offset |-> 0, released |-> FALSE]

VARIABLES
  claims,    \* by epoch: the worker, or 0
  progress,  \* by epoch: the checkpoint
  content,   \* by file and window: "hole", "cached", "ok", "guest", "lost"
  exists,    \* files
  flights,   \* writes that were issued and have not landed
  finishes,  \* requests to publish that are on their way, by file
  published, \* the file that the log names, or 0
  work,      \* of each worker
  fate       \* of each worker: "lives"; "loose": it lives, and a child that it gave up on may write;
             \* "lost" with its host's power; "proven" to be over
vars == <<claims, progress, content, exists, flights, finishes, published, work, fate>>
storage == <<claims, progress, content, exists, flights>>
log == <<finishes, published>>

Idle == [pc |-> "idle", epoch |-> 0, file |-> 0, offset |-> 0]
Init ==
  /\ claims = [e \in Epoch |-> 0] /\ progress = [e \in Epoch |-> Nothing]
  /\ content = [f \in Epoch |-> [w \in Window |-> "hole"]]
  /\ exists = {} /\ flights = {} /\ finishes = {} /\ published = 0
  /\ work = [h \in Worker |-> Idle] /\ fate = [h \in Worker |-> "lives"]

Max(S) == IF S = {} THEN 0 ELSE CHOOSE n \in S : \A m \in S : m <= n
Lives(h) == fate[h] \in {"lives", "loose"}
At(h, where) == Lives(h) /\ work[h].pc = where
Goes(h, where) == work' = [work EXCEPT ![h].pc = where]
Rests(h) == work' = [work EXCEPT ![h] = Idle]
Own(h) == {x \in flights : x.by = h}
OfRun(h) == {x \in Own(h) : x.epoch = work[h].epoch}

(* ---- claims ---- *)

NewestClaim == Max({e \in Epoch : claims[e] # 0})
See(h) ==
  /\ At(h, "idle") /\ published = 0 /\ NewestClaim < MaxEpoch
  /\ work' = [work EXCEPT ![h] = [Idle EXCEPT !.pc = "take", !.epoch = NewestClaim + 1]]
  /\ UNCHANGED <<storage, log, fate>>
Take(h) ==
  /\ At(h, "take")
  /\ IF LinkClaims /\ claims[work[h].epoch] # 0
     THEN Rests(h) /\ UNCHANGED claims
     ELSE Goes(h, "start") /\ claims' = [claims EXCEPT ![work[h].epoch] = h]
  /\ UNCHANGED <<progress, content, exists, flights, log, fate>>

(* ---- the file of an earlier epoch ---- *)

NewestProgress == Max({e \in Epoch : progress[e] # Nothing})
Over(h, worker) ==
  IF worker = h THEN KnowLoose => fate[h] # "loose" ELSE fate[worker] = "proven"
AllOver(h, e) ==
  /\ EarlierOnly => e < work[h].epoch
  /\ progress[e].released \/ Over(h, claims[e])
  /\ ProofOfAll => \A between \in e + 1..work[h].epoch - 1 : Over(h, claims[between])
Start(h) ==
  /\ At(h, "start")
  /\ LET e == NewestProgress
         earlier == progress[e]
         file == work[h].epoch
         useful == e # 0 /\ earlier.offset > 0 /\ earlier.file \in exists
         inPlace == useful /\ (AllOver(h, e) \/ ~EpochFiles)
         f == IF inPlace THEN earlier.file ELSE file
         reached == IF useful THEN earlier.offset ELSE 0
         Beginning(w) == IF w <= reached THEN content[earlier.file][w] ELSE "hole"
     IN /\ exists' = exists \cup {f}
        /\ content' = [content EXCEPT ![f] = [w \in Window |-> Beginning(w)]]
        /\ work' = [work EXCEPT ![h] = [@ EXCEPT !.pc = "save", !.file = f, !.offset = reached]]
  /\ UNCHANGED <<claims, progress, flights, log, fate>>

(* ---- windows ---- *)

Saved(h, released) ==
  progress' = [progress EXCEPT ![work[h].epoch] =
                 [file |-> work[h].file, offset |-> work[h].offset, released |-> released]]
Save(h) ==
  /\ At(h, "save") /\ Saved(h, FALSE)
  /\ Goes(h, IF work[h].offset = Windows THEN "publish" ELSE "write")
  /\ UNCHANGED <<claims, content, exists, flights, log, fate>>
Write(h) ==
  /\ At(h, "write") /\ Goes(h, "written")
  /\ flights' = flights \cup {[file |-> work[h].file, window |-> work[h].offset + 1, by |-> h,
                           epoch |-> work[h].epoch]}
  /\ UNCHANGED <<claims, progress, content, exists, log, fate>>
Late(now) == CASE now = "guest" -> "lost" [] now = "lost" -> "lost" [] now = "ok" -> "ok"
               [] OTHER -> "cached"
Land ==
  \E x \in flights :
    /\ flights' = flights \ {x}
    /\ content' = IF x.file \in exists THEN [content EXCEPT ![x.file][x.window] = Late(@)] ELSE content
    /\ UNCHANGED <<claims, progress, exists, work, log, fate>>
(* A write returns once it has landed. *)
Flush(h) ==
  /\ At(h, "written") /\ OfRun(h) = {} /\ work[h].file \in exists
  /\ content' = IF FlushFirst
                THEN [content EXCEPT ![work[h].file] =
                        [w \in Window |-> IF @[w] = "cached" THEN "ok" ELSE @[w]]]
                ELSE content
  /\ work' = [work EXCEPT ![h].offset = @ + 1, ![h].pc = "save"]
  /\ UNCHANGED <<claims, progress, exists, flights, log, fate>>

(* ---- a worker lets go, or dies ---- *)

Holds(h) == work[h].pc \in {"save", "write", "written", "publish"}
Says(h) == IF progress[work[h].epoch] = Nothing THEN UNCHANGED progress ELSE Saved(h, TRUE)
LetGo(h) ==
  /\ Lives(h) /\ Holds(h) /\ Says(h) /\ Rests(h)
  /\ flights' = IF StopBeforeRelease THEN flights \ OfRun(h) ELSE flights
  /\ UNCHANGED <<claims, content, exists, log, fate>>
(* A child cannot be killed: the worker reports nothing, but its life may try again. *)
Stuck(h) ==
  /\ Lives(h) /\ Holds(h) /\ OfRun(h) # {} /\ Rests(h) /\ fate' = [fate EXCEPT ![h] = "loose"]
  /\ UNCHANGED <<storage, log>>
(* A worker that dies without proof is the same as one that is paused for ever. *)
Prove(h) ==
  /\ fate[h] # "proven" /\ fate' = [fate EXCEPT ![h] = "proven"] /\ Rests(h)
  /\ flights' = IF GoneBeforeProof THEN flights \ Own(h) ELSE flights
  /\ UNCHANGED <<claims, progress, content, exists, log>>
PowerLoss(h) ==
  /\ Lives(h) /\ work[h].file # 0 /\ fate' = [fate EXCEPT ![h] = "lost"] /\ Rests(h)
  /\ Cardinality({g \in Worker : fate[g] = "lost"}) < PowerLosses
  /\ content' = [content EXCEPT ![work[h].file] =
                   [w \in Window |-> IF @[w] = "cached" THEN "hole" ELSE @[w]]]
  /\ UNCHANGED <<claims, progress, exists, flights, log>>

(* ---- the file becomes the volume's content ---- *)

Accepts == published = 0 \/ ~FirstWins
OwnOrEarlier(h) == work[h].file <= work[h].epoch
Publish(h) ==
  /\ At(h, "publish")
  /\ IF Accepts /\ OwnOrEarlier(h) THEN published' = work[h].file /\ Goes(h, "tidy")
     ELSE published' = published /\ Goes(h, "discard")
  /\ UNCHANGED <<storage, finishes, fate>>
(* No answer comes: the fix waits for another try, the request is still on its way. *)
InDoubt(h) ==
  /\ At(h, "publish") /\ OwnOrEarlier(h) /\ finishes' = finishes \cup {work[h].file}
  /\ Says(h) /\ Rests(h) /\ UNCHANGED <<claims, content, exists, flights, published, fate>>
Arrive ==
  \E f \in finishes :
    /\ finishes' = finishes \ {f} /\ published' = IF Accepts THEN f ELSE published
    /\ UNCHANGED <<storage, work, fate>>
Tidy(h) ==
  /\ At(h, "tidy") /\ Rests(h)
  /\ exists' = {f \in exists : f = work[h].file \/ f > work[h].epoch}
  /\ UNCHANGED <<claims, progress, content, flights, log, fate>>
Discard(h) ==
  /\ At(h, "discard") /\ Rests(h)
  /\ exists' = IF KeepPublished /\ published = work[h].file THEN exists ELSE exists \ {work[h].file}
  /\ UNCHANGED <<claims, progress, content, flights, log, fate>>

Guest ==
  /\ published # 0
  /\ \E w \in Window : /\ content[published][w] \in {"ok", "hole"}
                       /\ content' = [content EXCEPT ![published][w] = "guest"]
  /\ UNCHANGED <<claims, progress, exists, flights, log, work, fate>>

Next ==
  \/ \E h \in Worker :
       \/ See(h) \/ Take(h) \/ Start(h) \/ Save(h) \/ Write(h) \/ Flush(h) \/ LetGo(h) \/ Stuck(h)
       \/ Prove(h) \/ PowerLoss(h) \/ Publish(h) \/ InDoubt(h) \/ Tidy(h) \/ Discard(h)
  \/ Land \/ Arrive \/ Guest
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* A published file is whole and durable, and keeps what a guest has written to it. *)
PublishedIsWhole == published # 0 => \A w \in Window : content[published][w] \in {"ok", "guest"}
PublishedIsThere == published # 0 => published \in exists
PublishedOnce == [][published # 0 => published' = published]_vars
=============================================================================
