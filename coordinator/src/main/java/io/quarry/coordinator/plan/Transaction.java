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

/** The plan of one request: the state so far, and the changes that led to it. */
public final class Transaction {
  /** Opens may exceed the size limit by the limit divided by this number. */
  private static final int OPENS_RESERVE_PART = 8;

  private final long commit;
  private final Instant now;
  private final List<Change> changes = new ArrayList<>();
  private final RepositoryState before;
  private final long stateBytesMax;
  private RepositoryState state;

  /**
   * @param commit the sequence number of the record that will hold the changes
   * @param now the SDM's clock; for timestamps, and for the retention of removed images
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

  Layout layout() {
    return state.schema().layout();
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
      // A VM has to start even when no new image fits.
      long reserve = request.usesImages() ? stateBytesMax / OPENS_RESERVE_PART : 0;
      StateSize.requireRoom(before, state, stateBytesMax + reserve);
    }
    return new Reply(request.operation(), id, commit);
  }

  /** Records a volume that has yet to be made, and the fix that makes it. */
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
   * Records what the files of frozen volumes look like. Only the first look counts: a later one may
   * come after the damage that it should find. Leaves out volumes that are not frozen by now.
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

  /** Records that the file of a disk has grown, as a VM may do; the new end belongs to the disk. */
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

  /** Gives up the volume's files, whatever image owned the volume; the clean fix removes them. */
  void tombstone(Volume volume, boolean wanted) {
    add(new Change.PutVolume(volume.tombstoned()));
    cleanInsteadOfMaking(volume, wanted, null);
    hurryClean(volume, wanted);
  }

  /** The image has another volume now; the old one is cleaned as soon as no user has it open. */
  void retire(Volume volume, boolean wanted) {
    if (!state.isUsed(volume.id())) {
      tombstone(volume, wanted);
    }
  }

  /** Ends the use of an image, and of volumes that are no longer the image's own. */
  void close(Open open) {
    add(new Change.DropOpen(open.id()));
    letGoOf(open.volumes());
    Image filled = open.fills() == null ? null : state.images().get(open.imageId());
    if (filled != null) {
      // An upload is given up, with the bytes it has stored.
      Volume volume = Volume.uploaded(String.valueOf(open.fills()), filled, layout());
      tombstone(volume, filled.autoFix());
    }
    settle(open.imageId());
  }

  /** The users of these volumes have ended. */
  void letGoOf(List<String> volumeIds) {
    for (String volumeId : volumeIds) {
      Volume volume = state.volumes().get(volumeId);
      Image image = volume == null ? null : state.images().get(volume.imageId());
      if (image != null && image.volumeId().equals(volumeId)) {
        // The owner may be another image by now: a snapshot takes over the volume of its disk.
        settle(image.id());
      } else if (volume != null && volume.stage() == Volume.Stage.READY) {
        retire(volume, image == null || image.autoFix());
      }
    }
  }

  /** A merge writes down into the bottom of a chain only while the chain has no user. */
  void settleOwners(List<String> chain) {
    for (String volumeId : chain) {
      Volume volume = state.volumes().get(volumeId);
      Image owner = volume == null ? null : state.images().get(volume.imageId());
      if (owner != null && !owner.visible()) {
        settle(owner.id());
      }
    }
  }

  /** Gives the image another id. */
  void rename(Image image, String newId) {
    Volume volume = state.volumeOf(image);
    add(new Change.PutImage(image.internal(newId)));
    add(new Change.PutVolume(volume.ownedBy(newId)));
    moveOverlays(image.id(), newId);
    add(new Change.DropImage(image.id()));
  }

  /** Moves the overlays of one image to another one. */
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
   * A clean that existed before waited for the end of its image's retention, or for a request. No
   * request can bring the volume back now, so the clean waits no more.
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
   * Brings the fixes of an image into line with its state. Call this for every image that changed,
   * or whose dependants did. First come replacements: of the image's volume, and of the volume of
   * the image above. A hidden image that no overlay, pin or open needs is cleaned, and no longer
   * mended.
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

  /** The maker continues the epochs of the clean: no two epochs share a file. */
  private void makeInsteadOfCleaning(Volume volume, boolean wanted) {
    FixState clean = state.fixes().get(FixState.cleanId(volume.id()));
    dropFix(FixState.cleanId(volume.id()));
    if (volume.stage() == Volume.Stage.INTENDED
        && !state.fixes().containsKey(FixState.makerId(volume))) {
      add(new PutFix(FixState.maker(volume, wanted, null, now).after(clean)));
    }
  }

  /** Until when cleaning the image has to wait; null when there is no need to wait. */
  @Nullable Instant retainedUntil(Image image) {
    Instant until = image.retainedUntil();
    return until != null && until.isAfter(now) ? until : null;
  }

  /** Begins, keeps or gives up the replacement of the image's volume. */
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
      intend(better.volume(freshId(current), layout()), better.wanted(), better.notBefore(), null);
    }
  }

  /** The image that shortens a long chain is not the image that made the chain too long. */
  private void settleLongChain(Image top) {
    Image image = ChainLength.toFlatten(state, top);
    if (image != null && !image.id().equals(top.id())) {
      settleReplacement(image);
    }
  }

  /** Whether an image stays decides what the image above it absorbs, and so on upwards. */
  private void settleAbove(Image image) {
    Image above = new MergeRules(state).above(image);
    while (above != null) {
      settleReplacement(above);
      MergeRules rules = new MergeRules(state);
      above = rules.mergeable(above) ? rules.above(above) : null;
    }
  }

  /**
   * What an image absorbs from another repository depends on all layers below it. Call this when an
   * image comes into being or becomes whole, and may already have overlays.
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

  /** The volume has a new owner or a new user, so its replacement is given up. */
  void giveUpReplacement(Volume current, boolean wanted) {
    Volume replacement = state.replacementOf(current.id());
    if (replacement != null) {
      tombstone(replacement, wanted);
    }
  }

  /** Callers make ids; here the planner derives one from unique parts. */
  private String freshId(Volume replaced) {
    int count = 0;
    String id;
    do {
      String name = replaced.id() + "/" + commit + "/" + count++;
      id = UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
    } while (state.volumes().containsKey(id));
    return id;
  }

  /** Whether an overlay, a pin or an open needs the image although it may be hidden. */
  boolean needed(Image image) {
    return !state.overlaysOf(image.id()).isEmpty()
        || !state.pinsOf(image.id()).isEmpty()
        || !state.opensOf(image.id()).isEmpty()
        || state.isUsed(image.volumeId());
  }
}
