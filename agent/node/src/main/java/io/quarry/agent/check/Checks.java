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

/** Checks repositories, and accepts the fixes that a check has offered. */
public final class Checks {
  /** Deep checks share the storage with guests and copies. */
  private static final int READINGS_MAX = 2;

  private final Neighbours neighbours;
  private final Semaphore readings = new Semaphore(READINGS_MAX);

  /**
   * @param repositories those connected on this host
   * @param hosts the live hosts
   * @param opens judges the users of images
   */
  public Checks(
      FixContext context,
      Supplier<List<ConnectedRepository>> repositories,
      Supplier<List<HostRecord>> hosts,
      OpenReview opens) {
    this.neighbours = new Neighbours(context, repositories, hosts, opens);
  }

  /** Reads no data. Call this only on a thread that may wait for the storage. */
  public CheckReport run(ConnectedRepository repository) throws IOException {
    return new CheckRun(repository, neighbours).run();
  }

  /** Call this only on a thread that may wait for the storage. A deep check may wait for long. */
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

  /**
   * The operation that {@link #accept} chose for a committed fix. By now the fix may no longer be
   * acceptable.
   */
  public static String operation(Reply committed) {
    return committed.operation().equals("unpin") ? "unpin" : "queueFix";
  }

  /**
   * The request that carries out a fix, exactly as the check offered the fix. Call this as {@link
   * #run} is called.
   */
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
