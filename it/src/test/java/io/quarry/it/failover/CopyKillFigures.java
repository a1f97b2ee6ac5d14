package io.quarry.it.failover;

import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.TaskInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** A copy whose worker is killed every two seconds, a hundred times. */
final class CopyKillFigures {
  private static final int KILLS = 100;
  private static final Duration EVERY = Duration.ofSeconds(2);
  private static final Duration SESSION = Duration.ofSeconds(15);

  /** Large enough that the copy lasts until the last kill. */
  private static final SourceImage SOURCE = new SourceImage(100);

  private static final long BYTES_PER_SECOND = 6 << 20;

  private final Figures figures;
  private final Path directory;

  CopyKillFigures(Figures figures, Path directory) {
    this.figures = figures;
    this.directory = directory;
  }

  void measure() throws Exception {
    try (ThreeHosts hosts = ThreeHosts.start(directory, SESSION, BYTES_PER_SECOND)) {
      Copies copies = new Copies(hosts);
      String source = hosts.diskWith(SOURCE);
      CreatedImage copy = hosts.startCopy(source);
      String fix = copies.fixOf(copy.imageId());
      TaskInfo task = copies.await(fix, hosts.cluster().hosts(), any -> true);
      WrittenBytes written = new WrittenBytes();
      long next = System.nanoTime();
      for (int kill = 0; kill < KILLS; kill++) {
        next = Math.max(System.nanoTime(), next + EVERY.toNanos());
        // A fixed rhythm of kills, not a wait for an event.
        while (System.nanoTime() < next) {
          LockSupport.parkNanos(next - System.nanoTime());
        }
        LocalHost victim = hosts.named(task.hostId());
        long epoch = task.epoch();
        written.look(victim);
        victim.killAgent();
        // All agents may have been killed within the time that one takes to start.
        task = copies.await(fix, hosts.cluster().hosts(), now -> now.epoch() > epoch);
      }
      for (LocalHost host : hosts.cluster().hosts()) {
        host.awaitReady(ThreeHosts.PATIENCE);
      }
      hosts.awaitWhole();
      hosts.cluster().hosts().forEach(host -> hosts.of(host).setThrottle(0));
      hosts.awaitOptimized(ThreeHosts.BACKUP, copy.imageId(), copy.commit());
      for (LocalHost host : hosts.cluster().hosts()) {
        written.look(host);
      }
      copies.assertEqual(source, copy.imageId(), SOURCE);
      double twice = 100.0 * (written.sum() - SOURCE.dataBytes()) / SOURCE.dataBytes();
      figures.add(
          "a copy killed every 2 s, 100 times",
          "finishes, ≤ 10 % of bytes copied twice",
          "%d kills, %d MiB, %.1f %% written twice, equal to the source"
              .formatted(KILLS, SOURCE.dataBytes() >> 20, twice),
          twice <= 10);
    }
  }
}
