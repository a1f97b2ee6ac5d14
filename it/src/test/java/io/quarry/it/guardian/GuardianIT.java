package io.quarry.it.guardian;

import static io.quarry.it.guardian.GuardedAgent.HOSTS;
import static io.quarry.it.guardian.GuardedAgent.PROOFS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.EmbeddedZooKeeper;
import io.quarry.agent.guardian.ExitCode;
import io.quarry.agent.guardian.PidFile;
import io.quarry.it.failover.Distribution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
final class GuardianIT {
  private static final int KILLS = Math.min(10, Integer.getInteger("quarry.it.kills", 10));

  /** So long that no death of this test is found by the end of a session. */
  private static final Duration SESSION = EmbeddedZooKeeper.SESSION_TIMEOUT_MAX;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir private Path directory;
  private EmbeddedZooKeeper zooKeeper;
  private Observer observer;

  @BeforeEach
  void startZooKeeper() throws Exception {
    zooKeeper = EmbeddedZooKeeper.start(directory.resolve("zookeeper"));
    observer = new Observer(zooKeeper.connectString());
    for (String parent : List.of(HOSTS, PROOFS)) {
      observer.client().create(parent, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }
  }

  @AfterEach
  void stopZooKeeper() {
    observer.close();
    zooKeeper.close();
  }

  @Test
  void killedAgentIsBuriedThenProvedDeadThenGone() throws Exception {
    Distribution proved = new Distribution();
    Distribution gone = new Distribution();
    for (int kill = 0; kill < KILLS; kill++) {
      try (GuardianUnderTest guardian =
          start("agent-" + kill, SESSION.toString(), "--no-restart")) {
        ProcessHandle agent = guardian.firstAgent();
        String host = observer.host("");
        List<ProcessHandle> below = guardian.process().toHandle().descendants().toList();
        assertThat(below).as("agent, child, detached shell and its child").hasSize(4);
        CompletableFuture<Long> proof = observer.appears(PROOFS + "/" + host);
        // Runs on the observer's thread, at the very moment the proof is seen.
        CompletableFuture<List<ProcessHandle>> aliveAtProof =
            proof.thenApply(_ -> below.stream().filter(GuardianIT::exists).toList());
        CompletableFuture<Long> vanished = observer.vanishes(HOSTS + "/" + host);

        long killed = System.nanoTime();
        agent.destroyForcibly();

        // The session lasts twice as long: only the guardian's proof comes in time.
        long proofAt = proof.get(30, TimeUnit.SECONDS);
        assertThat(aliveAtProof.get(30, TimeUnit.SECONDS)).isEmpty();
        long goneAt = vanished.get(30, TimeUnit.SECONDS);
        assertThat(goneAt).isGreaterThanOrEqualTo(proofAt);
        proved.add(Duration.ofNanos(proofAt - killed));
        gone.add(Duration.ofNanos(goneAt - killed));
        assertThat(guardian.process().waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(guardian.process().exitValue()).isEqualTo(128 + 9);
      }
    }
    System.out.printf("From SIGKILL to the proof: %s; until it is gone: %s%n", proved, gone);
  }

  @Test
  void agentDiesWithItsGuardianAndNothingProvesIt() throws Exception {
    try (GuardianUnderTest guardian = start("agent", "PT2S")) {
      ProcessHandle agent = guardian.firstAgent();
      String host = observer.host("");
      List<ProcessHandle> below = guardian.process().toHandle().descendants().toList();
      guardian.process().destroyForcibly();
      agent.onExit().get(5, TimeUnit.SECONDS);
      await().atMost(PATIENCE).until(() -> !observer.exists(HOSTS + "/" + host));
      assertThat(observer.children(PROOFS)).isEmpty();
      // The detached processes live, so there must be no proof.
      assertThat(below).filteredOn(ProcessHandle::isAlive).hasSize(2);
      below.forEach(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void nextAgentComesAfterThePauseAsANewIncarnation() throws Exception {
    try (GuardianUnderTest guardian = start("agent", "PT15S")) {
      ProcessHandle first = guardian.firstAgent();
      String host = observer.host("");
      long killed = System.nanoTime();
      first.destroyForcibly();
      ProcessHandle second = guardian.agentOtherThan(first.pid(), 2);
      assertThat(Duration.ofNanos(System.nanoTime() - killed)).isGreaterThan(Duration.ofSeconds(1));
      assertThat(observer.host(host)).isGreaterThan(host);
      assertThat(observer.children(PROOFS)).containsExactly(host);
      assertThat(second.isAlive()).isTrue();
    }
  }

  /** Case 12.6: one failed start ended the guardian, and the host's agent for good. */
  @Test
  void startThatFailsIsTriedAgain() throws Exception {
    Path programs = Files.createDirectories(directory.resolve("programs"));
    try (GuardianUnderTest guardian =
        new GuardianUnderTest(directory.resolve("agent"), config("PT15S"), programs)) {
      await().atMost(PATIENCE).until(() -> logHas(guardian, "could not be started"));
      await().atMost(PATIENCE).until(() -> logHas(guardian, "The next agent starts in PT2S"));
      assertThat(guardian.process().isAlive()).isTrue();
      for (String program : List.of("env", "sh", "sleep", "setsid", "setpriv")) {
        Path installed = Path.of("/usr/bin", program);
        Files.createSymbolicLink(programs.resolve(program), installed);
      }
      assertThat(guardian.firstAgent().isAlive()).isTrue();
    }
  }

  /** Case 12.6: a state directory that is full. The file must not keep a wrong pid. */
  @Test
  void pidThatCannotBeWrittenKeepsNoAgentFromStarting() throws Exception {
    Path state = Files.createDirectories(directory.resolve("agent"));
    Files.createDirectory(state.resolve(PidFile.AGENT + ".new"));
    Files.writeString(state.resolve(PidFile.AGENT), "1");
    try (GuardianUnderTest guardian = start("agent", "PT15S")) {
      observer.host("");
      assertThat(logHas(guardian, "Could not write agent.pid")).isTrue();
      assertThat(state.resolve(PidFile.AGENT)).doesNotExist();
      assertThat(guardian.process().isAlive()).isTrue();
    }
  }

  @Test
  void stoppedGuardianEndsTheAgentGently() throws Exception {
    try (GuardianUnderTest guardian = start("agent", "PT15S")) {
      guardian.firstAgent();
      String host = observer.host("");
      List<ProcessHandle> below = guardian.process().toHandle().descendants().toList();
      guardian.process().destroy();
      assertThat(guardian.process().waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(guardian.process().exitValue()).isEqualTo(ExitCode.STOPPED);
      assertThat(guardian.work().resolve(GuardedAgent.ENDED_GENTLY)).exists();
      assertThat(below).noneMatch(ProcessHandle::isAlive);
      assertThat(observer.children(HOSTS)).isEmpty();
      assertThat(observer.children(PROOFS)).containsExactly(host);
    }
  }

  @Test
  void missingConfigurationIsAllThatIsSaid() throws Exception {
    Path missing = directory.resolve("none.json");
    try (GuardianUnderTest guardian =
        new GuardianUnderTest(directory.resolve("agent"), "", "--config", missing.toString())) {
      assertThat(guardian.process().waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(guardian.process().exitValue()).isEqualTo(ExitCode.CONFIGURATION);
      assertThat(guardian.log()).hasContent("error: there is no file " + missing);
    }
  }

  @Test
  void wrongConfigurationIsNotTriedAgain() throws Exception {
    try (GuardianUnderTest guardian =
        new GuardianUnderTest(directory.resolve("agent"), "wrong=yes\n")) {
      assertThat(guardian.process().waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(guardian.process().exitValue()).isEqualTo(ExitCode.CONFIGURATION);
    }
  }

  @Test
  void deathWhileZooKeeperIsDownIsProvedLater() throws Exception {
    try (GuardianUnderTest guardian = start("agent", "PT15S", "--no-restart")) {
      ProcessHandle agent = guardian.firstAgent();
      String host = observer.host("");
      zooKeeper.stop();
      agent.destroyForcibly();
      await().atMost(PATIENCE).until(() -> logHas(guardian, "Proving the death"));
      zooKeeper.start();
      await().atMost(PATIENCE).ignoreExceptions().until(() -> observer.exists(PROOFS + "/" + host));
      await().atMost(PATIENCE).until(() -> !observer.exists(HOSTS + "/" + host));
    }
  }

  @Test
  void deathIsProvedToAnEnsembleThatForgotEverything() throws Exception {
    try (GuardianUnderTest guardian = start("agent", "PT15S", "--no-restart")) {
      ProcessHandle agent = guardian.firstAgent();
      String host = observer.host("");
      observer.close();
      zooKeeper.stop();
      agent.destroyForcibly();
      await().atMost(PATIENCE).until(() -> logHas(guardian, "Proving the death"));
      try (EmbeddedZooKeeper wiped =
              EmbeddedZooKeeper.start(directory.resolve("wiped"), zooKeeper.port());
          Observer afterwards = new Observer(wiped.connectString())) {
        await().atMost(PATIENCE).until(() -> afterwards.exists(PROOFS + "/" + host));
      }
    }
  }

  @Test
  void agentWhoseSessionExpiredBeforeItsDeathIsProvedDeadToo() throws Exception {
    try (GuardianUnderTest guardian = start("agent", "PT2S", "--no-restart")) {
      ProcessHandle agent = guardian.firstAgent();
      String host = observer.host("");
      new ProcessBuilder("kill", "-STOP", Long.toString(agent.pid())).start().waitFor();
      await().atMost(PATIENCE).until(() -> !observer.exists(HOSTS + "/" + host));
      assertThat(observer.children(PROOFS)).isEmpty();
      agent.destroyForcibly();
      await().atMost(PATIENCE).until(() -> observer.exists(PROOFS + "/" + host));
    }
  }

  private GuardianUnderTest start(String name, String sessionTimeout, String... options)
      throws IOException {
    return new GuardianUnderTest(directory.resolve(name), config(sessionTimeout), options);
  }

  private String config(String sessionTimeout) {
    return "zookeeper=" + zooKeeper.connectString() + "\nsessionTimeout=" + sessionTimeout + "\n";
  }

  /** A zombie counts as existing: the guardian must have reaped it. */
  private static boolean exists(ProcessHandle process) {
    return Files.exists(Path.of("/proc/" + process.pid()));
  }

  private static boolean logHas(GuardianUnderTest guardian, String words) throws IOException {
    return Files.readString(guardian.log()).contains(words);
  }
}
