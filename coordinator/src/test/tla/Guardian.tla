------------------------------ MODULE Guardian ------------------------------
(* An agent, the processes below it, its guardian, and what the cluster is told
   of its death. Processes start others as long as they run, and a killed one
   may be held by the kernel, so that its last write comes later.

   What stands for what (package io.quarry.agent.guardian):
     Fork, Exit        tools of fixes, and what those start
     AgentDies         the agent's process ends; Notice: Guardian.watch
     Look, Kill        Descendants.killAll
     Gone              the kernel lets go of a killed process
     GiveUpWaiting     after Guardian.KILL_WAIT: closeWithoutProof
     Proof, Close      DeathNotice.publish: SessionConnection.create, close
     Expire            the session's time runs out, which is no proof

   Left out: that the guardian itself may die (the agent then ends, and nobody
   proves it), that it starts the agent again (each life has its own proof).

   Bounds: Processes processes below the agent: 900 states with 3. *)
EXTENDS Naturals, FiniteSets

CONSTANTS Processes

(* The defences. *)
CONSTANTS
  AwaitAgent,   \* the agent's own end is seen before anything is killed
  Subreaper,    \* whatever the agent started comes to the guardian, however detached
  LookAgain,    \* and those born meanwhile are looked for until there are none
  AwaitGone,    \* proof waits until the killed ones are gone, not only killed
  ProofFirst    \* the proof is there before the session ends

Process == 1..Processes
VARIABLES
  agent,      \* "runs", "dead"
  state,      \* of each process: "none", "child" of the agent or of one that runs, "orphan",
              \* "killed" (the kernel holds it), "gone"
  guardian,   \* "watches", "looks", "kills", "waits", "proves", "closes", "over"
  doomed,     \* those that it has seen and will kill
  gaveUp,     \* whether it has told the cluster that the session is over, without proof
  proof, session
vars == <<agent, state, guardian, doomed, gaveUp, proof, session>>

Init ==
  /\ agent = "runs" /\ state = [p \in Process |-> "none"] /\ guardian = "watches" /\ doomed = {}
  /\ gaveUp = FALSE /\ proof = FALSE /\ session = "open"

Runs(p) == state[p] \in {"child", "orphan"}
Left == {p \in Process : state[p] \in {"child", "orphan", "killed"}}
Seen == {p \in Left : Subreaper \/ state[p] # "orphan"}

Fork ==
  /\ agent = "runs" \/ \E p \in Process : Runs(p)
  /\ \E q \in Process : state[q] = "none" /\ state' = [state EXCEPT ![q] =
       IF agent = "runs" THEN "child" ELSE "orphan"]
  /\ UNCHANGED <<agent, guardian, doomed, gaveUp, proof, session>>
Exit ==
  /\ \E p \in Process : Runs(p) /\ state' = [state EXCEPT ![p] = "gone"]
  /\ UNCHANGED <<agent, guardian, doomed, gaveUp, proof, session>>
AgentDies ==
  /\ agent = "runs" /\ agent' = "dead"
  /\ state' = [p \in Process |-> IF state[p] = "child" THEN "orphan" ELSE state[p]]
  /\ UNCHANGED <<guardian, doomed, gaveUp, proof, session>>
Notice ==
  /\ guardian = "watches" /\ (AwaitAgent => agent = "dead") /\ guardian' = "looks"
  /\ UNCHANGED <<agent, state, doomed, gaveUp, proof, session>>

Nobody == IF AwaitGone THEN Seen = {} ELSE {p \in Seen : Runs(p)} = {}
Look ==
  /\ guardian = "looks" /\ doomed' = Seen
  /\ guardian' = IF Nobody THEN IF ProofFirst THEN "proves" ELSE "closes" ELSE "kills"
  /\ UNCHANGED <<agent, state, gaveUp, proof, session>>
Kill ==
  /\ guardian = "kills"
  /\ state' = [p \in Process |-> IF p \in doomed /\ Runs(p) THEN "killed" ELSE state[p]]
  /\ guardian' = IF LookAgain THEN "looks" ELSE "waits"
  /\ UNCHANGED <<agent, doomed, gaveUp, proof, session>>
Waits ==
  /\ guardian = "waits" /\ \A p \in doomed : state[p] = "gone"
  /\ guardian' = IF ProofFirst THEN "proves" ELSE "closes"
  /\ UNCHANGED <<agent, state, doomed, gaveUp, proof, session>>
Gone ==
  /\ \E p \in Process : state[p] = "killed" /\ state' = [state EXCEPT ![p] = "gone"]
  /\ UNCHANGED <<agent, guardian, doomed, gaveUp, proof, session>>
GiveUpWaiting ==
  /\ guardian = "looks" /\ Seen # {} /\ \A p \in Seen : state[p] = "killed"
  /\ gaveUp' = TRUE /\ session' = "ended" /\ UNCHANGED <<agent, state, guardian, doomed, proof>>
Proof ==
  /\ guardian = "proves" /\ proof' = TRUE
  /\ guardian' = IF session = "open" THEN "closes" ELSE "over"
  /\ UNCHANGED <<agent, state, doomed, gaveUp, session>>
Close ==
  /\ guardian = "closes" /\ session' = (IF session = "open" THEN "ended" ELSE session)
  /\ guardian' = IF proof THEN "over" ELSE "proves"
  /\ UNCHANGED <<agent, state, doomed, gaveUp, proof>>
Expire ==
  /\ session = "open" /\ session' = "expired"
  /\ UNCHANGED <<agent, state, guardian, doomed, gaveUp, proof>>

Next == Fork \/ Exit \/ AgentDies \/ Notice \/ Look \/ Kill \/ Waits \/ Gone \/ GiveUpWaiting \/ Proof
        \/ Close \/ Expire
Spec == Init /\ [][Next]_vars

(* ---- what must hold ---- *)

(* Nothing of a life that was proven to be over can write any more. *)
ProofIsTrue == proof => agent = "dead" /\ Left = {}
(* Who sees the session end by the guardian's hand finds the proof, unless the kernel held something:
   so a takeover goes on in place. *)
EndFindsProof == session = "ended" => proof \/ gaveUp
=============================================================================
