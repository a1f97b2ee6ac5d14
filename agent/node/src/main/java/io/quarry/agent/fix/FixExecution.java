package io.quarry.agent.fix;

import io.quarry.agent.data.CopyStopped;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.process.ToolFailure;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.FailFix;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Work;
import java.io.IOException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Runs one fix from its claim to its end. Each run ends in exactly one way. */
final class FixExecution {
  private static final Logger LOG = LoggerFactory.getLogger(FixExecution.class);

  private FixExecution() {}

  /** How a run ended; the fix worker decides by that what to do next on this host. */
  enum End {
    /** Done, or no longer needed. */
    OVER,
    /** Asked to let go; other hosts may continue the fix. */
    LET_GO,
    /** The storage or the cluster failed; worth another try after a pause. */
    TROUBLE,
    /** Failed for a reason of its own; the log counts it. */
    FAILED
  }

  /** When the method returns, no part of the fix runs on this host any more. */
  static End run(RunningFix run) {
    End end = stages(run);
    if (end == End.LET_GO || end == End.TROUBLE) {
      letGo(run, null);
    }
    if (run.fix().type() != FixType.CLEAN && (run.fix().heavy() || end != End.OVER)) {
      discard(run);
    }
    return end;
  }

  private static void discard(RunningFix run) {
    try {
      RepositoryState state = run.repository().refresh().repository();
      if (!EpochClaim.mayGoOn(state, run.fix())) {
        run.stopChildren();
        EpochClaim.discard(run.repository(), state, run.fix(), run.epoch());
      }
    } catch (IOException e) {
      LOG.warn("What {} may have left is for check to find: {}", run.fix().id(), e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static End stages(RunningFix run) {
    String what = run.fix().id() + " epoch " + run.epoch();
    try {
      RepositoryState state = run.repository().state().repository();
      switch (Work.of(run.fix(), state)) {
        case Work.MakeEmpty make -> new MendFix(run, state).makeEmpty(make.volume());
        case Work.Copy copy -> new MendFix(run, state).copy(copy);
        case Work.CopyDifference copy -> new MendFix(run, state).copy(copy);
        case Work.Replace replace -> new ReplaceFix(run, state).run(replace);
        case Work.Merge merge -> new MergeFix(run, state).run(merge);
        case Work.RemoveVolume remove -> new CleanFix(run).run(remove.volumeId());
        case Work.RemoveOrphan remove -> new OrphanFix(run).run(remove.file());
        case Work.Nothing _ -> throw new FixGoneException("its volume is whole or given up");
      }
      LOG.atLevel(run.fix().heavy() ? Level.INFO : Level.DEBUG).log("Done: {}", what);
      return End.OVER;
    } catch (FixGoneException e) {
      LOG.info("No longer needed: {}: {}", what, e.getMessage());
      return End.OVER;
    } catch (CopyStopped e) {
      LOG.info("Let go of {}: {}", what, run.stopReason());
      return End.LET_GO;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return End.LET_GO;
    } catch (ToolFailure e) {
      return e.killed() || full(run) ? trouble(what, e) : fail(run, e);
    } catch (StorageException e) {
      LOG.warn("{} has to wait: {}", what, e.getMessage());
      return e.code() == ErrorCode.INTERNAL ? fail(run, e) : End.TROUBLE;
    } catch (IOException e) {
      return isItsOwn(run, e) ? fail(run, e) : trouble(what, e);
    } catch (RuntimeException e) {
      return fail(run, e);
    }
  }

  /**
   * Whether the failure is about the files of this fix, so that an operator has to see the failure.
   * A storage that refuses every file is no failure of one fix: the host leaves the fixes to other
   * hosts meanwhile.
   */
  private static boolean isItsOwn(RunningFix run, IOException e) {
    return switch (FileFailure.kindOf(e)) {
      case TOO_LARGE -> true;
      case FORBIDDEN, READ_ONLY, TOO_MANY_OPEN, INPUT_OUTPUT -> run.storagesUsable();
      // A quota counts as a failure of the fix; on a full storage the fix waits.
      case NO_SPACE -> !full(run);
      case NOT_FOUND, EXISTS, REFUSED, NOT_EMPTY, OTHER -> false;
      case null -> false;
    };
  }

  private static End trouble(String what, IOException e) {
    LOG.warn("{} has to wait: {}", what, e.toString());
    return End.TROUBLE;
  }

  /** Tools do not distinguish a full storage from other reasons to fail. */
  private static boolean full(RunningFix run) {
    try {
      return SpaceBudget.isFull(run.repository().storage());
    } catch (IOException e) {
      LOG.debug("The storage of {} cannot be asked", run.fix().id(), e);
      return false;
    }
  }

  private static End fail(RunningFix run, Exception why) {
    boolean known = why instanceof IOException || why instanceof StorageException;
    LOG.error("{} failed: {}", run.fix().id(), why.toString(), known ? null : why);
    String error = String.valueOf(why.getMessage());
    letGo(run, error);
    try {
      run.repository().commit(UUID.randomUUID().toString(), new FailFix(run.fix().id(), error));
    } catch (StorageException e) {
      LOG.warn("The failure of {} could not be noted: {}", run.fix().id(), e.getMessage());
    }
    return End.FAILED;
  }

  /**
   * Once all processes that this run has started are gone, the next epoch may continue in the same
   * file.
   */
  private static void letGo(RunningFix run, @Nullable String error) {
    Checkpoint checkpoint = run.checkpoint();
    try {
      run.stopChildren();
      if (!run.fix().heavy() || (checkpoint.file() == null && error == null)) {
        return;
      }
      run.save(checkpoint.letGo(error, run.now()));
    } catch (IOException e) {
      LOG.warn("Letting go of {} could not be noted: {}", run.fix().id(), e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
