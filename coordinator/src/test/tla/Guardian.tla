------------------------------ MODULE Guardian ------------------------------
(* An agent, the processes below it, its guardian, and the proof of its death in
   the cluster. Processes start others as long as they run. The kernel may hold
   a killed process, so that its last write comes later.

   What stands for what (package io.quarry.agent.guardian):
     Fork, Exit        tools of fixes, and their child processes
     AgentDies         the agent's process ends; Notice: Guardian.watch
     Look, Kill        Descendants.killAll
     Gone              the kernel lets go of a killed process
     GiveUpWaiting     after Guardian.KILL_WAIT: closeWithoutProof
     Proof, Close      DeathNotice.publish: SessionConnection.create, close
     Expire            the session's time runs out, which is no proof

   Left out: the death of the guardian itself (the agent then ends without
   proof), and the next start of the agent (each life has its own proof).

   Bounds: Processes processes below the agent: 900 states with 3. *)
EXTENDS Naturals, FiniteSets

CONSTANTS Processes

(* The defences. *)
CONSTANTS
  AwaitAgent,   \* the guardian sees the agent's own end before it kills any process
  Subreaper,    \* every process below the agent comes to the guardian, however detached
  LookAgain,    \* the guardian looks for new processes until there are none
  AwaitGone,    \* the proof waits until the killed processes are gone
  ProofFirst    \* the proof comes before the end of the session

Process == 1..Processes
VARIABLES
  agent,      \* "runs", "dead"
  state,      \* of each process: "none", "child" of the agent or of a running process, "orphan",
              \* "killed" (the kernel holds it), "gone"
  guardian,   \* "watches", "looks", "kills", "waits", "proves", "closes", "over"
  doomed,     \* the processes that the guardian has seen and will kill
  gaveUp,     \* whether the guardian has ended the session without proof
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

(* No process of a life that is proven to be over can write any more. *)
ProofIsTrue == proof => agent = "dead" /\ Left = {}
(* When the guardian has ended the session, the proof is there, so that a takeover continues in
   place. The exception: the kernel held a process. *)
EndFindsProof == session = "ended" => proof \/ gaveUp
=============================================================================
