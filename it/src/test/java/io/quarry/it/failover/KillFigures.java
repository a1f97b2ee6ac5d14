package io.quarry.it.failover;

import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** How soon other hosts continue when an agent, an SDM or a whole host dies. */
final class KillFigures {
  private static final Duration LONG_SESSION = Duration.ofSeconds(15);
  private static final Duration SHORT_SESSION = Duration.ofSeconds(6);
  private static final int AGENT_KILLS = 100;
  private static final int SDM_KILLS = 100;
  private static final int HOST_KILLS = 20;
  private static final SourceImage SOURCE = new SourceImage(4);

  /** So slow that a copy can be claimed, but does not end. */
  private static final long SLOW = 64 << 10;

  private static final long SMALL_DISK_BYTES = 1 << 20;

  private final Figures figures;
  private final Path directory;

  KillFigures(Figures figures, Path directory) {
    this.figures = figures;
    this.directory = directory;
  }

  private interface Kill {
    void of(LocalHost victim) throws Exception;
  }

  void agents() throws Exception {
    Distribution claims = claims(LONG_SESSION, AGENT_KILLS, LocalHost::killAgent, back -> {});
    figures.add(
        "agent SIGKILL → its fix claimed again (15 s session)",
        "p50 ≤ 100 ms, p99 ≤ 500 ms",
        claims.toString(),
        claims.median().toMillis() <= 100 && claims.percentile(99).toMillis() <= 500);
  }

  /** No proof of the death exists; the session has to expire. */
  void hosts() throws Exception {
    Distribution claims = claims(SHORT_SESSION, HOST_KILLS, LocalHost::killHost, LocalHost::start);
    figures.add(
        "host gone without guardian → its fix claimed again (6 s session)",
        "≤ 10 s",
        claims.toString(),
        claims.percentile(100).toSeconds() < 10);
  }

  private Distribution claims(Duration session, int kills, Kill kill, Kill bringBack)
      throws Exception {
    Distribution claims = new Distribution();
    try (ThreeHosts hosts = ThreeHosts.start(directory, session, SLOW)) {
      Copies copies = new Copies(hosts);
      CreatedImage copy = hosts.startCopy(hosts.diskWith(SOURCE));
      String fix = copies.fixOf(copy.imageId());
      TaskInfo task = copies.await(fix, hosts.cluster().hosts(), any -> true);
      for (int number = 0; number < kills; number++) {
        hosts.awaitWhole();
        LocalHost victim = hosts.named(task.hostId());
        long epoch = task.epoch();
        long killed = System.nanoTime();
        kill.of(victim);
        task = copies.await(fix, hosts.allBut(victim), now -> now.epoch() > epoch);
        claims.add(Duration.ofNanos(System.nanoTime() - killed));
        bringBack.of(victim);
      }
    }
    return claims;
  }

  void sdms() throws Exception {
    Distribution commits = new Distribution();
    try (ThreeHosts hosts = ThreeHosts.start(directory, LONG_SESSION, 0)) {
      for (int kill = 0; kill < SDM_KILLS; kill++) {
        hosts.awaitWhole();
        LocalHost victim =
            hosts.named(ThreeHosts.sdm(hosts.everywhere(), ThreeHosts.MAIN).orElseThrow());
        List<LocalHost> others = hosts.allBut(victim);
        StorageClient other = hosts.of(others.get(kill % others.size()));
        // Opens connections and loads classes, for which a first call would have to wait.
        ThreeHosts.createDisk(other, ThreeHosts.MAIN, SMALL_DISK_BYTES, "before-" + kill);
        long killed = System.nanoTime();
        victim.killAgent();
        ThreeHosts.createDisk(other, ThreeHosts.MAIN, SMALL_DISK_BYTES, "after-" + kill);
        commits.add(Duration.ofNanos(System.nanoTime() - killed));
      }
    }
    figures.add(
        "SDM SIGKILL → next commit acknowledged (15 s session)",
        "p99 ≤ 1 s",
        commits.toString(),
        commits.percentile(99).toMillis() <= 1000);
  }
}
