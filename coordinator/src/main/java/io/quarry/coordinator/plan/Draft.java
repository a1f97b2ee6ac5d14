package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Change.DropFix;
import io.quarry.coordinator.plan.Change.PutFix;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One request being planned: the state so far, and the changes that led to it. */
public final class Draft {
  private final long commit;
  private final Instant now;
  private final List<Change> changes = new ArrayList<>();
  private RepositoryState state;

  /**
   * @param commit the sequence number of the record that will hold the changes
   * @param now the SDM's clock; for people to read, nothing is decided by it
   */
  public Draft(RepositoryState state, long commit, Instant now) {
    this.state = state;
    this.commit = commit;
    this.now = now;
  }

  public RepositoryState state() {
    return state;
  }

  public List<Change> changes() {
    return List.copyOf(changes);
  }

  Instant now() {
    return now;
  }

  void add(Change change) {
    changes.add(change);
    state = state.apply(change);
  }

  Reply reply(Request request, String id) {
    return new Reply(request.operation(), id, commit);
  }

  /** Records a volume that has yet to be made, and the mend that will make it. */
  void intend(Volume volume, boolean wanted, @Nullable Worker worker) {
    if (state.volumes().containsKey(volume.id())) {
      throw Refusal.exists("volume", volume.id());
    }
    add(new Change.PutVolume(volume));
    FixState mend = FixState.mend(volume, wanted, now);
    add(new PutFix(wanted && worker != null ? mend.grantedTo(worker) : mend));
  }

  /** The volume's files are to go, whoever owned it; the clean fix does it. */
  void tombstone(Volume volume, boolean wanted) {
    add(new Change.PutVolume(volume.tombstoned()));
    cleanInsteadOfMending(volume, wanted);
  }

  private void cleanInsteadOfMending(Volume volume, boolean wanted) {
    FixState mend = state.fixes().get(FixState.mendId(volume.id()));
    dropFix(FixState.mendId(volume.id()));
    if (!state.fixes().containsKey(FixState.cleanId(volume.id()))) {
      add(new PutFix(FixState.clean(volume, wanted, mend, now)));
    }
  }

  void dropFix(String fixId) {
    if (state.fixes().containsKey(fixId)) {
      add(new DropFix(fixId));
    }
  }

  /**
   * Brings the fixes of an image into line with whether it can be cleaned: weak, and no overlay,
   * pin or open needs it. What can be cleaned is not mended any more. To be called for every image
   * whose dependants changed.
   */
  void settle(@Nullable String imageId) {
    Image image = imageId == null ? null : state.images().get(imageId);
    if (image == null) {
      return;
    }
    String fixId = FixState.cleanId(image.volumeId());
    boolean cleanable = !image.strong() && !needed(image.id());
    if (!cleanable) {
      dropFix(fixId);
      return;
    }
    cleanInsteadOfMending(state.volumeOf(image), image.autoFix());
  }

  /** Whether anything keeps the image although it may be weak. */
  boolean needed(String imageId) {
    return !state.overlaysOf(imageId).isEmpty()
        || !state.pinsOf(imageId).isEmpty()
        || !state.opensOf(imageId).isEmpty();
  }
}
