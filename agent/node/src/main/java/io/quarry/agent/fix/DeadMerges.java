package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.coordinator.plan.LeaveMergeInPlace;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends merges in place that were cancelled before their host could report that its writers had
 * stopped. The volume stays writable until another host reports the end for that host.
 */
public final class DeadMerges {
  private static final Logger LOG = LoggerFactory.getLogger(DeadMerges.class);

  private final FixContext context;

  public DeadMerges(FixContext context) {
    this.context = context;
  }

  /**
   * The worker that continues a merge ends the merge itself, as long as the fix is still in the
   * log.
   *
   * @param leading whether this host reports the end for dead hosts, too; otherwise this host
   *     reports only its own
   */
  public void end(Repository repository, boolean leading) {
    RepositoryState state = repository.state().repository();
    for (Volume volume : state.volumes().values()) {
      Volume.Writer writer = volume.writer();
      if (writer != null
          && !state.fixes().containsKey(writer.fixId())
          && (context.own().stageOf(writer) == LocalWriters.Stage.OVER
              || (leading && context.proof().dead(writer.worker())))) {
        LOG.info("{} has been given up, and {} is over", writer.fixId(), writer.worker());
        var _ =
            repository.commit(
                UUID.randomUUID().toString(), new LeaveMergeInPlace(volume.id(), writer));
        context.own().forget(writer);
      }
    }
  }
}
