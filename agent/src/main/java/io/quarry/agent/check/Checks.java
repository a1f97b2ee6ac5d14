package io.quarry.agent.check;

import io.quarry.agent.fix.Surroundings;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.QueueFix;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Unpin;
import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;

/** Checks repositories, and takes back the fixes that a check has offered. */
public final class Checks {
  private final Neighbours neighbours;

  /**
   * @param repositories those connected on this host
   * @param hosts those that live
   */
  public Checks(
      Surroundings around,
      Supplier<List<ConnectedRepository>> repositories,
      Supplier<List<HostRecord>> hosts) {
    this.neighbours = new Neighbours(around, repositories, hosts);
  }

  /** To be called where the storage may be waited for. */
  public CheckReport run(ConnectedRepository repository) throws IOException {
    return new Check(repository, neighbours).run();
  }

  /** What brings a fix about, exactly as it was offered. To be called as {@link #run} is. */
  public Request accept(ConnectedRepository repository, Fix fix) throws IOException {
    FixData data = FixData.verify(fix, repository.storage().genesis());
    String pinId = PinReview.pinOf(data.fixId());
    if (pinId == null) {
      return new QueueFix(data.fixId(), data.strayFile());
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
