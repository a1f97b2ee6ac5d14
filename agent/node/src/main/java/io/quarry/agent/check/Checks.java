package io.quarry.agent.check;

import io.quarry.agent.fix.FixContext;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.QueueFix;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Unpin;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Checks repositories, and takes back the fixes that a check has offered. */
public final class Checks {
  /** They share the storage with machines and copies. */
  private static final int READINGS_MAX = 2;

  private final Neighbours neighbours;
  private final Semaphore readings = new Semaphore(READINGS_MAX);

  /**
   * @param repositories those connected on this host
   * @param hosts those that live
   * @param opens judges the users of images
   */
  public Checks(
      FixContext context,
      Supplier<List<ConnectedRepository>> repositories,
      Supplier<List<HostRecord>> hosts,
      OpenReview opens) {
    this.neighbours = new Neighbours(context, repositories, hosts, opens);
  }

  /** Reads no data. To be called where the storage may be waited for. */
  public CheckReport run(ConnectedRepository repository) throws IOException {
    return new CheckRun(repository, neighbours).run();
  }

  /** To be called where the storage may be waited for, and in the case of a deep check for long. */
  public CheckReport run(ConnectedRepository repository, CheckOptions options)
      throws IOException, InterruptedException {
    if (!options.deep()) {
      return run(repository);
    }
    if (!readings.tryAcquire()) {
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "this agent reads for " + READINGS_MAX + " deep checks already",
          repository.repoId(),
          "repeat the call, or ask another agent");
    }
    try {
      return read(repository, options.after());
    } finally {
      readings.release();
    }
  }

  private CheckReport read(ConnectedRepository repository, @Nullable String after)
      throws IOException, InterruptedException {
    DeepCheck deep = new DeepCheck(repository, neighbours);
    if (after != null) {
      return deep.from(DeepCheck.Place.parse(after));
    }
    CheckReport all = run(repository);
    return all.and(deep.from(DeepCheck.Place.START));
  }

  /** What {@link #accept} made of a fix that was committed: it may not be accepted any more. */
  public static String operation(Reply committed) {
    return committed.operation().equals("unpin") ? "unpin" : "queueFix";
  }

  /** What brings a fix about, exactly as it was offered. To be called as {@link #run} is. */
  public Request accept(ConnectedRepository repository, Fix fix) throws IOException {
    FixData data = FixData.verify(fix, repository.storage().genesis());
    String pinId = PinReview.pinOf(data.fixId());
    if (pinId == null) {
      return new QueueFix(data.fixId(), data.orphanFile());
    }
    Pin pin = repository.replica().refresh().repository().pins().get(pinId);
    if (pin == null || !neighbours.pins().isStale(pin)) {
      throw new StorageException(
          ErrorCode.FIX_STALE,
          "fix " + data.fixId() + " no longer applies: the pin is gone, or is needed",
          data.fixId(),
          "check again");
    }
    return new Unpin(pinId);
  }
}
