package io.quarry.it.dev;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalCluster;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class LocalClusterIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void hostsCanBeKilledPausedAndStartedAgain(@TempDir Path directory) throws Exception {
    List<ProcessHandle> before = childProcesses();
    try (LocalCluster cluster = LocalCluster.start(options(directory).withHosts(2))) {
      cluster.awaitReady(PATIENCE);

      LocalHost first = cluster.host(0);
      long agent = first.agentPid().orElseThrow();
      first.killAgent();
      await().atMost(PATIENCE).until(() -> first.agentPid().orElseThrow() != agent);
      first.awaitReady(PATIENCE);

      LocalHost second = cluster.host(1);
      long guardian = second.guardianPid();
      assertThat(Files.readString(Path.of("/proc/" + guardian + "/maps")))
          .as("what the guardian has mapped")
          .contains(System.getProperty("quarry.classArchive", ""));
      List<Long> below =
          ProcessHandle.of(guardian).orElseThrow().descendants().map(ProcessHandle::pid).toList();
      assertThat(below).as("the agent and its detached process").hasSize(2);
      second.killHost();
      assertThat(below).noneMatch(LocalClusterIT::runs);
      assertThat(second.ready()).isFalse();
      second.start();
      second.awaitReady(PATIENCE);

      second.pauseAgent();
      // A thread may finish an answer before the signal reaches it.
      await().atMost(PATIENCE).until(() -> !second.ready());
      second.resumeAgent();
      second.awaitReady(PATIENCE);

      second.shutDown();
      assertThat(second.ready()).isFalse();
      assertThat(Files.readString(second.log())).contains("Started agent");
    }
    assertThat(childProcesses()).hasSameSizeAs(before);
  }

  @Test
  void nothingOutlivesAnOwnerThatIsKilled(@TempDir Path directory) throws Exception {
    Process owner =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                ClusterOwner.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<Long> pids;
    try (BufferedReader out = owner.inputReader(UTF_8)) {
      pids = Arrays.stream(out.readLine().split(" ")).map(Long::valueOf).toList();
    }
    List<Long> detached =
        owner
            .toHandle()
            .descendants()
            .map(ProcessHandle::pid)
            .filter(p -> !pids.contains(p))
            .toList();
    assertThat(pids).hasSize(3).allMatch(LocalClusterIT::runs);
    owner.destroyForcibly();
    await().atMost(PATIENCE).until(() -> pids.stream().noneMatch(LocalClusterIT::runs));
    // No process is left that could know this one: only a power cut would end it, too.
    detached.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
  }

  private static LocalClusterOptions options(Path directory) {
    return LocalClusterOptions.in(directory)
        .withGuardianArguments("--agent-main", HealthyAgent.class.getName());
  }

  private static List<ProcessHandle> childProcesses() {
    return ProcessHandle.current().descendants().toList();
  }

  /** A zombie does not run: the machine's init decides when orphans are reaped. */
  private static boolean runs(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
    } catch (java.io.IOException gone) {
      return false;
    }
  }
}
