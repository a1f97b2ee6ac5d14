package io.quarry.coordinator.plan;

import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.Change.DropFix;
import io.quarry.coordinator.plan.Change.PutFix;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume.Witness;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One request being planned: the state so far, and the changes that led to it. */
public final class Transaction {
  /** What opens may take above the limit is this part of the limit. */
  private static final int OPENS_RESERVE_PART = 8;

  private final long commit;
  private final Instant now;
  private final List<Change> changes = new ArrayList<>();
  private final RepositoryState before;
  private final long stateBytesMax;
  private RepositoryState state;

  /**
   * @param commit the sequence number of the record that will hold the changes
   * @param now the SDM's clock; for people to read, and for how long removed images are retained
   */
  public Transaction(RepositoryState state, long commit, Instant now) {
    this(state, commit, now, Limits.STATE_BYTES_MAX);
  }

  /**
   * @param stateBytesMax smaller than the usual limit in tests
   */
  Transaction(RepositoryState state, long commit, Instant now, long stateBytesMax) {
    this.before = state;
    this.stateBytesMax = stateBytesMax;
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

  /** The sequence number of the record that will hold the changes. */
  long commit() {
    return commit;
  }

  Instant now() {
    return now;
  }

  void add(Change change) {
    changes.add(change);
    state = state.apply(change);
  }

  /** The last step of each plan. */
  Reply reply(Request request, String id) {
    if (!request.freesSpace()) {
      // A machine has to start although nothing more can be made.
      long reserve = request.usesImages() ? stateBytesMax / OPENS_RESERVE_PART : 0;
      StateSize.requireRoom(before, state, stateBytesMax + reserve);
    }
    return new Reply(request.operation(), id, commit);
  }

  /** Records a volume that has yet to be made, and the fix that will make it. */
  void intend(Volume volume, boolean wanted, @Nullable Worker worker) {
    intend(volume, wanted, null, worker);
  }

  private void intend(
      Volume volume, boolean wanted, @Nullable Instant notBefore, @Nullable Worker worker) {
    if (state.volumes().containsKey(volume.id())) {
      throw PlanErrors.exists("volume", volume.id());
    }
    add(new Change.PutVolume(volume));
    FixState maker = FixState.maker(volume, wanted, notBefore, now);
    add(new PutFix(wanted && worker != null ? maker.grantedTo(worker) : maker));
  }

  /**
   * What the files of frozen volumes look like. The first look counts: a later one may have seen
   * what it is to find. Volumes that are not frozen by now are left out.
   *
   * @param witnesses by volume; null when no file was looked at
   */
  void witness(@Nullable Map<String, Witness> witnesses) {
    if (witnesses == null) {
      return;
    }
    new TreeMap<>(witnesses)
        .forEach((id, witness) -> {
          Volume volume = state.volumes().get(id);
          if (volume != null && volume.witness() == null && volume.isFrozen(state)) {
            add(new Change.PutVolume(volume.witnessed(witness)));
          }
        });
  }

  /** The file of a disk has grown, as a machine may do it; its end is a part of the disk then. */
  void grow(String imageId, long size) {
    Image disk = state.visibleImage(imageId);
    if (disk != null
        && disk.kind() == ImageKind.VIRTUAL_DISK
        && Limits.isImageSize(size)
        && size > disk.size()
        && state.volumeOf(disk).stage() == Volume.Stage.READY) {
      add(new Change.PutImage(disk.sized(size)));
      add(new Change.PutVolume(state.volumeOf(disk).sized(size)));
    }
  }

  /** The volume's files are to go, whoever owned it; the clean fix does it. */
  void tombstone(Volume volume, boolean wanted) {
    add(new Change.PutVolume(volume.tombstoned()));
    cleanInsteadOfMaking(volume, wanted, null);
    hurryClean(volume, wanted);
  }

  /** The image has another volume now; this one goes as soon as nobody has it open. */
  void retire(Volume volume, boolean wanted) {
    if (!state.isUsed(volume.id())) {
      tombstone(volume, wanted);
    }
  }

  /** The use of an image ends, and with it that of volumes which are not its own any more. */
  void close(Open open) {
    add(new Change.DropOpen(open.id()));
    letGoOf(open.volumes());
    Image filled = open.fills() == null ? null : state.images().get(open.imageId());
    if (filled != null) {
      // An upload is given up, with what it has stored so far.
      tombstone(Volume.uploaded(String.valueOf(open.fills()), filled), filled.autoFix());
    }
    settle(open.imageId());
  }

  /** Whoever was handed these volumes has no use for them any more. */
  void letGoOf(List<String> volumeIds) {
    for (String volumeId : volumeIds) {
      Volume volume = state.volumes().get(volumeId);
      Image image = volume == null ? null : state.images().get(volume.imageId());
      if (image != null && image.volumeId().equals(volumeId)) {
        // It may be another image by now: a snapshot takes over the volume of its disk.
        settle(image.id());
      } else if (volume != null && volume.stage() == Volume.Stage.READY) {
        retire(volume, image == null || image.autoFix());
      }
    }
  }

  /** What is at the bottom of a chain is written down into only while nobody uses it. */
  void settleOwners(List<String> chain) {
    for (String volumeId : chain) {
      Volume volume = state.volumes().get(volumeId);
      Image owner = volume == null ? null : state.images().get(volume.imageId());
      if (owner != null && !owner.visible()) {
        settle(owner.id());
      }
    }
  }

  /** The image goes on under another id. */
  void rename(Image image, String newId) {
    Volume volume = state.volumeOf(image);
    add(new Change.PutImage(image.internal(newId)));
    add(new Change.PutVolume(volume.ownedBy(newId)));
    moveOverlays(image.id(), newId);
    add(new Change.DropImage(image.id()));
  }

  /** What is over one image is over another one from now on. */
  void moveOverlays(String fromImageId, String toImageId) {
    for (String overlay : state.overlaysOf(fromImageId)) {
      Volume volume = state.volumes().get(overlay);
      if (volume != null) {
        add(new Change.PutVolume(volume.over(toImageId)));
      }
    }
  }

  private void cleanInsteadOfMaking(Volume volume, boolean wanted, @Nullable Instant notBefore) {
    FixState maker = state.fixes().get(FixState.makerId(volume));
    dropFix(FixState.makerId(volume));
    if (!state.fixes().containsKey(FixState.cleanId(volume.id()))) {
      add(new PutFix(FixState.clean(volume, wanted, maker, notBefore, now)));
    }
  }

  /**
   * A clean that was there already had to wait for its image's sake: until the removal could not be
   * undone any more, or until somebody asked for it. No request can bring the volume back.
   */
  private void hurryClean(Volume volume, boolean wanted) {
    FixState clean = state.fixes().get(FixState.cleanId(volume.id()));
    FixState hurried = clean == null ? null : clean.ofTombstone(wanted);
    if (hurried != null && !hurried.equals(clean)) {
      add(new PutFix(hurried));
    }
  }

  void dropFix(String fixId) {
    if (state.fixes().containsKey(fixId)) {
      add(new DropFix(fixId));
    }
  }

  /**
   * Brings the fixes of an image into line with whether it can be cleaned: hidden, and no overlay,
   * pin or open needs it. What can be cleaned is not mended any more. Before that, with whether it,
   * or the image over it, could have a better volume. To be called for every image that changed, or
   * whose dependants did.
   */
  void settle(@Nullable String imageId) {
    Image image = imageId == null ? null : state.images().get(imageId);
    if (image == null) {
      return;
    }
    settleReplacement(image);
    settleAbove(image);
    settleLongChain(image);
    if (state.layersOf(image).elsewhere() != null) {
      settleOverlays(image.id());
    }
    Volume volume = state.volumeOf(image);
    boolean cleanable = !image.visible() && !needed(image);
    if (cleanable) {
      cleanInsteadOfMaking(volume, image.autoFix(), retainedUntil(image));
    } else {
      makeInsteadOfCleaning(volume, image.autoFix());
    }
  }

  /** The maker goes on with the epochs of the clean: no two of them share a file. */
  private void makeInsteadOfCleaning(Volume volume, boolean wanted) {
    FixState clean = state.fixes().get(FixState.cleanId(volume.id()));
    dropFix(FixState.cleanId(volume.id()));
    if (volume.stage() == Volume.Stage.INTENDED
        && !state.fixes().containsKey(FixState.makerId(volume))) {
      add(new PutFix(FixState.maker(volume, wanted, null, now).after(clean)));
    }
  }

  /** Until when cleaning the image has to wait; null when it has not. */
  @Nullable Instant retainedUntil(Image image) {
    Instant until = image.retainedUntil();
    return until != null && until.isAfter(now) ? until : null;
  }

  /** Begins, keeps or gives up what is to take the place of the image's volume. */
  private void settleReplacement(Image image) {
    Volume current = state.volumeOf(image);
    Volume begun = state.replacementOf(current.id());
    Replacement better = Replacement.of(image, state, now);
    if (begun != null) {
      FixState maker = state.fixes().get(FixState.makerId(begun));
      if (better != null && better.isServedBy(begun, maker != null && maker.wanted())) {
        return;
      }
      giveUpReplacement(current, image.autoFix());
    }
    if (better != null) {
      intend(better.volume(freshId(current)), better.wanted(), better.notBefore(), null);
    }
  }

  /** The image that makes a long chain shorter is another one than that which made it longer. */
  private void settleLongChain(Image top) {
    Image image = ChainLength.toFlatten(state, top);
    if (image != null && !image.id().equals(top.id())) {
      settleReplacement(image);
    }
  }

  /** Whether the image stays decides about the data of the one over it, and so on upwards. */
  private void settleAbove(Image image) {
    Image above = new MergeRules(state).above(image);
    while (above != null) {
      settleReplacement(above);
      MergeRules rules = new MergeRules(state);
      above = rules.mergeable(above) ? rules.above(above) : null;
    }
  }

  /**
   * What images take in of another repository depends on what is below them, as far down as that
   * is. To be called when an image comes into being or becomes whole, and overlays of it may have
   * been here before.
   */
  void settleOverlays(String imageId) {
    MergeRules rules = new MergeRules(state);
    for (String volumeId : state.overlaysOf(imageId).stream().sorted().toList()) {
      Image over = rules.ownerOf(volumeId);
      if (over != null) {
        settleReplacement(over);
        settleOverlays(over.id());
      }
    }
  }

  /** The volume gets a new owner or a new user. */
  void giveUpReplacement(Volume current, boolean wanted) {
    Volume replacement = state.replacementOf(current.id());
    if (replacement != null) {
      tombstone(replacement, wanted);
    }
  }

  /** Ids are the callers' to make; this one follows from what is unique already. */
  private String freshId(Volume replaced) {
    int count = 0;
    String id;
    do {
      String name = replaced.id() + "/" + commit + "/" + count++;
      id = UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
    } while (state.volumes().containsKey(id));
    return id;
  }

  /** Whether anything keeps the image although it may be hidden. */
  boolean needed(Image image) {
    return !state.overlaysOf(image.id()).isEmpty()
        || !state.pinsOf(image.id()).isEmpty()
        || !state.opensOf(image.id()).isEmpty()
        || state.isUsed(image.volumeId());
  }
}
