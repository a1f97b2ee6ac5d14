package io.quarry.agent.demo;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.demo.TaskWatch.Sighting;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.ImageOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Copies the snapshot to the other repository while agents are killed. */
final class CopyUnderFire {
  /** Slow enough to show progress and to kill agents during the copy. */
  private static final Duration THROTTLED_COPY = Duration.ofSeconds(20);

  private static final Duration CLAIM_MAX = Duration.ofSeconds(40);
  private static final Duration PROGRESS_MAX = Duration.ofMinutes(1);
  private static final Duration END_MAX = Duration.ofMinutes(2);
  private static final String VOLUMES = "volumes";
  private static final int TOO_LATE_PERCENT = 90;

  /** A checkpoint has just been seen, but a real accident would more likely come between two. */
  private static final long AIM_MILLIS_MAX = 500;

  private static final int FIRST_KILL_PERCENT = 30;
  private static final int SDM_KILL_PERCENT = 45;
  private static final int SECOND_KILL_PERCENT = 60;

  /** The observations of the copy. */
  record Result(String imageId, List<Takeover> takeovers, SdmFailover sdmFailover) {}

  private final Scene scene;
  private final DemoHosts hosts;
  private final RealDisk source;

  CopyUnderFire(Scene scene, DemoHosts hosts, RealDisk source) {
    this.scene = scene;
    this.hosts = hosts;
    this.source = source;
  }

  Result copy(String snapshot) throws IOException, InterruptedException, DemoFailure {
    long rate = Math.max(1 << 20, source.dataBytes() / THROTTLED_COPY.toSeconds());
    hosts.throttle(rate);
    CreatedImage copy =
        scene
            .api()
            .copyImage(
                Scene.BACKUP,
                new CopyImageRequest(
                    snapshot, null, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
                null);
    scene
        .timeline()
        .add("began to copy the snapshot, throttled to " + DemoFigures.mebibytes(rate) + "/s");
    List<Takeover> takeovers = new ArrayList<>();
    SdmFailover failover;
    try (TaskWatch watch = TaskWatch.start(scene.hosts(), fixOf(copy))) {
      takeovers.add(killCopier(watch, FIRST_KILL_PERCENT));
      awaitPercent(watch, SDM_KILL_PERCENT);
      failover = new SdmKill(scene, hosts).kill(snapshot, watch);
      takeovers.add(killCopier(watch, SECOND_KILL_PERCENT));
      hosts.throttle(0);
      scene.timeline().add("lifted the throttle");
      Waiting.untilOptimized(
          scene, "copying", Scene.BACKUP, copy.imageId(), copy.commit(), END_MAX);
    }
    scene.timeline().add("the copy is whole");
    return new Result(copy.imageId(), takeovers, failover);
  }

  private String fixOf(CreatedImage copy) throws InterruptedException, DemoFailure {
    List<FixInfo> found = new ArrayList<>();
    Waiting.until(
        "the copy to be queued",
        CLAIM_MAX,
        () ->
            scene.api().listFixes(Scene.BACKUP, 0).stream()
                .filter(fix -> copy.imageId().equals(fix.imageId()))
                .peek(found::add)
                .findFirst()
                .isPresent());
    return found.getFirst().fixId();
  }

  private Takeover killCopier(TaskWatch watch, int percent)
      throws IOException, InterruptedException, DemoFailure {
    Sighting victim = awaitPercent(watch, percent);
    if (victim.percent() > TOO_LATE_PERCENT) {
      throw new DemoFailure("The copy is at " + victim.percent() + " %: too late for a kill");
    }
    Thread.sleep(ThreadLocalRandom.current().nextLong(AIM_MILLIS_MAX));
    long killed = System.nanoTime();
    scene.cluster().kill(victim.hostId());
    Written written = Written.in(scene.repository(Scene.BACKUP).resolve(VOLUMES));
    scene
        .timeline()
        .add(
            killed, "killed the agent of %s at %d %%".formatted(victim.hostId(), victim.percent()));
    Sighting heir = watch.await(each -> each.epoch() > victim.epoch(), CLAIM_MAX);
    // The first answer may come before the new worker has read the checkpoint.
    Sighting resumed =
        watch.await(each -> each.epoch() > victim.epoch() && each.bytesTotal() > 0, CLAIM_MAX);
    if (heir == null || resumed == null) {
      throw new DemoFailure("No host took over from " + victim.hostId());
    }
    Takeover takeover =
        new Takeover(
            victim.hostId(),
            heir.hostId(),
            victim.percent(),
            Duration.ofNanos(heir.nanos() - killed),
            resumed.bytesDone(),
            written.bytesFrom(resumed.bytesDone()));
    scene
        .timeline()
        .add(
            "%s took over after %s and went on from %s, %s are copied twice"
                .formatted(
                    heir.hostId(),
                    DemoFigures.millis(takeover.killToClaim()),
                    DemoFigures.mebibytes(takeover.bytesFrom()),
                    DemoFigures.mebibytes(takeover.bytesCopiedTwice())));
    hosts.awaitReturn(victim.hostId());
    return takeover;
  }

  private Sighting awaitPercent(TaskWatch watch, int percent)
      throws InterruptedException, DemoFailure {
    long deadline = System.nanoTime() + PROGRESS_MAX.toNanos();
    while (System.nanoTime() < deadline) {
      Sighting sighting = watch.await(each -> each.percent() >= percent, Duration.ofMillis(100));
      if (sighting != null && sighting.percent() >= percent) {
        return sighting;
      }
      Sighting last = watch.last();
      scene.audience().progress("copying", last == null ? null : last.progress());
    }
    throw new DemoFailure("The copy did not get to " + percent + " % in time");
  }
}
