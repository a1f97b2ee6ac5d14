package io.quarry.coordinator.plan;

import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What requests change in the extents of files, and who may have them mapped. */
final class ExtentChanges {
  private final Transaction transaction;

  ExtentChanges(Transaction transaction) {
    this.transaction = transaction;
  }

  private RepositoryState state() {
    return transaction.state();
  }

  /** Refuses a file that no volume has or gets. */
  void requireUsable(String file) {
    if (!isUsable(file)) {
      throw PlanErrors.fileGone(file);
    }
  }

  private boolean isUsable(String file) {
    Volume volume = volumeOf(file);
    return volume != null
        && switch (volume.stage()) {
          case INTENDED -> volume.mayBePublished(file, Long.MAX_VALUE);
          case READY -> file.equals(volume.file());
          case TOMBSTONED -> false;
        };
  }

  private @Nullable Volume volumeOf(String file) {
    VolumeName name = VolumeName.parse(file);
    return name == null ? null : state().volumes().get(name.volumeId());
  }

  /** The host may map the file from this commit on. */
  void map(String file, String hostId, HostBoot boot) {
    if (state().extents().allocation(file) == null) {
      throw PlanErrors.fileGone(file);
    }
    Mapping before = state().extents().mapping(file, hostId);
    if (before != null && !before.boot().equals(boot)) {
      throw PlanErrors.mappedElsewhere(before);
    }
    transaction.add(new Change.PutMapping(new Mapping(file, hostId, boot, transaction.commit())));
  }

  /**
   * Ends mappings of a host.
   *
   * @param mappings by file, {@link Mapping#since}
   * @param over whether the mapping is over
   */
  void unmap(String hostId, Map<String, Long> mappings, Predicate<Mapping> over) {
    mappings.forEach((file, since) -> {
      Mapping mapping = state().extents().mapping(file, hostId);
      if (mapping != null && mapping.since() == since && over.test(mapping)) {
        transaction.add(new Change.DropMapping(file, hostId));
      }
    });
  }

  /** Gives the extents of a file that is needed no more to other files. */
  void free(String file) {
    for (Mapping mapping : state().extents().mappingsOf(file)) {
      throw PlanErrors.mapped(file, mapping);
    }
    transaction.add(new Change.DropAllocation(file));
  }

  /** Refuses a file that a volume has, or that the newest run of a fix may write. */
  void requireUseless(String file) {
    Volume volume = volumeOf(file);
    if (isUsable(file) && volume != null && !isOfAnOldEpoch(file, volume)) {
      throw PlanErrors.fileNeeded(file);
    }
  }

  private boolean isOfAnOldEpoch(String file, Volume volume) {
    FixState maker = state().fixes().get(FixState.makerId(volume));
    return volume.stage() == Volume.Stage.INTENDED
        && maker != null
        && volume.mayBePublished(file, maker.epoch() - 1);
  }
}
