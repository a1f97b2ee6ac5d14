package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.pcollections.PMap;
import org.pcollections.PSet;
import org.pcollections.TreePMap;

/**
 * The state of a repository after one commit of its log. Immutable: readers keep a reference, and
 * the next commit makes a new state that shares nearly all of the old one. An update costs O(log
 * n).
 */
public final class RepositoryState {
  public static final RepositoryState EMPTY =
      new RepositoryState(
          TreePMap.empty(),
          Volumes.NONE,
          Fixes.NONE,
          Pins.NONE,
          Opens.NONE,
          Extents.NONE,
          Schema.FIRST,
          RecentRequests.NONE,
          0);

  private final TreePMap<String, Image> images;
  private final Volumes volumes;
  private final Fixes fixes;
  private final Pins pins;
  private final Opens opens;
  private final Extents extents;
  private final Schema schema;
  private final RecentRequests requests;
  private final long bytes;

  private RepositoryState(
      TreePMap<String, Image> images,
      Volumes volumes,
      Fixes fixes,
      Pins pins,
      Opens opens,
      Extents extents,
      Schema schema,
      RecentRequests requests,
      long bytes) {
    this.images = images;
    this.volumes = volumes;
    this.fixes = fixes;
    this.pins = pins;
    this.opens = opens;
    this.extents = extents;
    this.schema = schema;
    this.requests = requests;
    this.bytes = bytes;
  }

  /** All images, hidden ones too, in the order of their ids. */
  public TreePMap<String, Image> images() {
    return images;
  }

  public PMap<String, Volume> volumes() {
    return volumes.all();
  }

  public PMap<String, FixState> fixes() {
    return fixes.all();
  }

  /** The outstanding fixes by whose turn it is. */
  public Fixes work() {
    return fixes;
  }

  public PMap<String, Pin> pins() {
    return pins.all();
  }

  public PMap<String, Open> opens() {
    return opens.all();
  }

  /** Which extents of a device the files of volumes have. */
  public Extents extents() {
    return extents;
  }

  /** Which features the log has. */
  public Schema schema() {
    return schema;
  }

  /**
   * Whether the files of volumes are frozen and witnessed, and VMs may grow disks. An older agent
   * knows none of that.
   */
  public boolean freezesFiles() {
    return schema.has(Feature.WITNESSES);
  }

  public RecentRequests requests() {
    return requests;
  }

  /** The estimated memory of the state without the remembered requests; see {@link StateSize}. */
  public long bytes() {
    return bytes;
  }

  /** Volumes that are overlays of the image, also tombstoned ones: their files may still exist. */
  public PSet<String> overlaysOf(String imageId) {
    return volumes.overlaysOf(imageId);
  }

  public PSet<String> pinsOf(String imageId) {
    return pins.byImage().of(imageId);
  }

  public PSet<String> opensOf(String imageId) {
    return opens.byImage().of(imageId);
  }

  /** The visible image of that id, or null. */
  public @Nullable Image visibleImage(String id) {
    Image image = images.get(id);
    return image != null && image.visible() ? image : null;
  }

  /** The volume of an image; every image has one. */
  public Volume volumeOf(Image image) {
    Volume volume = volumes().get(image.volumeId());
    if (volume == null) {
      throw new IllegalStateException("image " + image.id() + " has no volume");
    }
    return volume;
  }

  /** The volume that is being made to replace this one, or null. */
  public @Nullable Volume replacementOf(String volumeId) {
    return replacementsOf(volumeId).stream().map(volumes()::get).findAny().orElse(null);
  }

  PSet<String> replacementsOf(String volumeId) {
    return volumes.replacementsOf(volumeId);
  }

  /** The open of the image's present writer, or null. */
  public @Nullable Open writerOf(String imageId) {
    for (String openId : opensOf(imageId)) {
      Open open = opens().get(openId);
      if (open != null && !open.readOnly()) {
        return open;
      }
    }
    return null;
  }

  /** The ids of the opens that use that volume. */
  public PSet<String> opensUsing(String volumeId) {
    return opens.byVolume().of(volumeId);
  }

  /** Whether an open or a pin uses that volume. */
  boolean isUsed(String volumeId) {
    return !opensUsing(volumeId).isEmpty() || !pins.byVolume().of(volumeId).isEmpty();
  }

  /** The image that a hidden image is to be merged into, or null. */
  public @Nullable Image mergedInto(Image image) {
    return new MergeRules(this).targetOf(image);
  }

  /** The hidden images to be merged into this one, the nearest first. */
  public List<Image> mergedFrom(Image image) {
    MergeRules rules = new MergeRules(this);
    return rules.mergeable(image) ? List.of() : rules.below(image);
  }

  /**
   * The volume that a merge may write down into instead of making a new one, or null. {@link
   * Volume#writer} is the worker that may still write to it.
   */
  public @Nullable Volume mergeBase(Volume better, Instant now) {
    InPlace place = InPlace.of(this, better, now);
    return place == null ? null : place.base();
  }

  /** Whether all of the image's content is here: its own volume, and the volumes below. */
  public boolean isWhole(Image image) {
    return volumeOf(image).stage() == Volume.Stage.READY && missingBaseOf(image) == null;
  }

  /**
   * The first image below that is not here, or not made yet; null when there is none. A layer in
   * another repository was whole when it was pinned there.
   */
  @Nullable String missingBaseOf(Image image) {
    Volume volume = volumeOf(image);
    while (volume.parentImageId() != null && volume.baseSource() == null) {
      Image below = images.get(volume.parentImageId());
      if (below == null || volumeOf(below).stage() != Volume.Stage.READY) {
        return volume.parentImageId();
      }
      volume = volumeOf(below);
    }
    return null;
  }

  /** Whether the image stays broken until a caller brings an image that is not here at all. */
  boolean lacksBase(Image image) {
    Volume lowest = volumeOf(chainOf(image).getLast());
    return lowest.parentImageId() != null && lowest.baseSource() == null;
  }

  /** Whether the volume's base is, for now, in another repository. */
  boolean readsElsewhere(Volume volume) {
    if (volume.baseSource() == null) {
      return false;
    }
    Image base = images.get(String.valueOf(volume.parentImageId()));
    return base == null || !isWhole(base);
  }

  /** The layers that the image's content is read from. */
  public BackingChain layersOf(Image image) {
    return BackingChain.of(this, image);
  }

  /**
   * Whether the image is to absorb the data that it reads in another repository. The image must be
   * visible with no visible image below, and no copy of the base may be on its way.
   */
  boolean takesIn(Image image) {
    BackingChain layers = layersOf(image);
    return image.visible()
        && layers.elsewhere() != null
        && layers.topIsNext()
        && !isComing(volumeOf(layers.here().getLast()).parentImageId());
  }

  private boolean isComing(@Nullable String imageId) {
    String next = imageId;
    while (next != null) {
      Image image = images.get(next);
      if (image == null) {
        return false;
      }
      next = volumeOf(image).baseSource() == null ? volumeOf(image).parentImageId() : null;
    }
    return true;
  }

  /** How well the image is represented, as recorded. */
  public ImageState stateOf(Image image) {
    if (!isWhole(image)) {
      return ImageState.BROKEN;
    }
    return wantsItsOwn(image, volumeOf(image)) || layersOf(image).elsewhere() != null
        ? ImageState.DEGRADED
        : ImageState.OPTIMIZED;
  }

  /**
   * Whether the image is a disk that should be fast but is an overlay. A snapshot keeps the volume
   * that it was taken with.
   */
  static boolean isToBeFast(Image image, Volume volume) {
    return image.visible()
        && image.kind() == ImageKind.VIRTUAL_DISK
        && image.strategy() == Strategy.PERFORMANCE
        && volume.parentImageId() != null;
  }

  /** Whether the image should get a volume of its own: as a fast disk, or over a long chain. */
  private boolean wantsItsOwn(Image image, Volume volume) {
    return isToBeFast(image, volume) || ChainLength.isTooLong(this, image);
  }

  /** The fix that brings the image closer to its best state, or null. */
  public @Nullable FixState fixOf(Image image) {
    Volume volume = volumeOf(image);
    Volume better = volume.stage() == Volume.Stage.READY ? replacementOf(volume.id()) : volume;
    if (better != null) {
      return fixes().get(FixState.makerId(better));
    }
    return wantsItsOwn(image, volume) ? null : fixBelow(layersOf(image));
  }

  /** The fix that brings in the data from another repository, or null. */
  private @Nullable FixState fixBelow(BackingChain layers) {
    if (layers.elsewhere() == null) {
      return null;
    }
    for (Image below : layers.here()) {
      Volume better = replacementOf(below.volumeId());
      if (better != null && better.parentImageId() == null) {
        return fixes().get(FixState.makerId(better));
      }
    }
    Volume lowest = volumeOf(layers.here().getLast());
    Image base = images.get(String.valueOf(lowest.parentImageId()));
    return base == null
        ? null
        : chainOf(base).stream()
            .map(this::volumeOf)
            .filter(volume -> volume.stage() == Volume.Stage.INTENDED)
            .map(volume -> fixes().get(FixState.makerId(volume)))
            .findFirst()
            .orElse(null);
  }

  /**
   * The image that gets better by the fix, for people. A base that was copied for its overlays is
   * invisible, so the first overlay stands for it.
   */
  public @Nullable String beneficiaryOf(FixState fix) {
    Image about = images.get(String.valueOf(fix.imageId()));
    if (fix.type() != FixType.OPTIMIZE || about == null || about.visible()) {
      return fix.imageId();
    }
    MergeRules rules = new MergeRules(this);
    return overlaysOf(about.id()).stream()
        .map(rules::ownerOf)
        .filter(Objects::nonNull)
        .filter(Image::visible)
        .map(Image::id)
        .min(Comparator.naturalOrder())
        .orElse(fix.imageId());
  }

  /** The image and the images below it, from the top down, as far as they are here. */
  public List<Image> chainOf(Image top) {
    List<Image> chain = new ArrayList<>();
    @Nullable Image image = top;
    while (image != null) {
      chain.add(image);
      String parent = volumeOf(image).parentImageId();
      image = parent == null ? null : images.get(parent);
    }
    return chain;
  }

  /** The state after a request was answered. */
  public RepositoryState remember(String requestId, Reply reply) {
    return withRequests(requests.plus(requestId, reply));
  }

  public RepositoryState withRequests(RecentRequests newRequests) {
    return new RepositoryState(
        images, volumes, fixes, pins, opens, extents, schema, newRequests, bytes);
  }

  /** The state after one change. */
  public RepositoryState apply(Change change) {
    return switch (change) {
      case Change.PutImage put ->
          with(
              images.plus(put.image().id(), put.image()),
              StateSize.growth(images.get(put.image().id()), put.image()));
      case Change.DropImage drop ->
          with(images.minus(drop.id()), StateSize.growth(images.get(drop.id()), null))
              .with(schema.without(drop.id()));
      case Change.PutVolume put -> with(volumes.plus(put.volume()));
      case Change.DropVolume drop -> with(volumes.minus(drop.id())).with(schema.without(drop.id()));
      case Change.PutFix put -> with(fixes.plus(put.fix()));
      case Change.DropFix drop -> with(fixes.minus(drop.id()));
      case Change.PutPin put ->
          with(pins.plus(put.pin()), StateSize.growth(pins().get(put.pin().id()), put.pin()));
      case Change.DropPin drop ->
          with(pins.minus(drop.id()), StateSize.growth(pins().get(drop.id()), null));
      case Change.PutOpen put ->
          with(opens.plus(put.open()), StateSize.growth(opens().get(put.open().id()), put.open()));
      case Change.DropOpen drop ->
          with(opens.minus(drop.id()), StateSize.growth(opens().get(drop.id()), null));
      case Change.PutFeature put -> with(schema.plus(put.feature()));
      case Change.PutExtension put -> with(schema.plus(put.extension()));
      case Change.PutPool put -> with(extents.plus(put.pool()));
      case Change.PutAllocation put -> with(extents.plus(put.allocation()));
      case Change.DropAllocation drop -> with(extents.minusAllocation(drop.file()));
      case Change.PutMapping put -> with(extents.plus(put.mapping()));
      case Change.DropMapping drop -> with(extents.minusMapping(drop.file(), drop.hostId()));
      case Change.PutEpoch put -> with(fixes.epochs().plus(put.epoch()));
      case Change.DropEpochs drop -> with(fixes.epochs().minus(drop.fixId(), drop.upTo()));
    };
  }

  /** The changes that make this state out of an empty one: the content of a checkpoint. */
  public List<Change> asChanges() {
    List<Change> all = new ArrayList<>(schema.featureChanges());
    images.values().forEach(image -> all.add(new Change.PutImage(image)));
    volumes().values().forEach(volume -> all.add(new Change.PutVolume(volume)));
    fixes().values().forEach(fix -> all.add(new Change.PutFix(fix)));
    pins().values().forEach(pin -> all.add(new Change.PutPin(pin)));
    opens().values().forEach(open -> all.add(new Change.PutOpen(open)));
    all.addAll(extents.asChanges());
    all.addAll(fixes.epochs().asChanges());
    all.addAll(schema.extensionChanges());
    return all;
  }

  private RepositoryState with(TreePMap<String, Image> newImages, long growth) {
    return new RepositoryState(
        newImages, volumes, fixes, pins, opens, extents, schema, requests, bytes + growth);
  }

  private RepositoryState with(Volumes newVolumes) {
    return new RepositoryState(
        images, newVolumes, fixes, pins, opens, extents, schema, requests, bytes);
  }

  private RepositoryState with(Fixes newFixes) {
    return new RepositoryState(
        images, volumes, newFixes, pins, opens, extents, schema, requests, bytes);
  }

  private RepositoryState with(Pins newPins, long growth) {
    return new RepositoryState(
        images, volumes, fixes, newPins, opens, extents, schema, requests, bytes + growth);
  }

  private RepositoryState with(Opens newOpens, long growth) {
    return new RepositoryState(
        images, volumes, fixes, pins, newOpens, extents, schema, requests, bytes + growth);
  }

  private RepositoryState with(Epochs newEpochs) {
    requireExtents();
    long growth = newEpochs.bytes() - fixes.epochs().bytes();
    Fixes newFixes = fixes.with(newEpochs);
    return new RepositoryState(
        images, volumes, newFixes, pins, opens, extents, schema, requests, bytes + growth);
  }

  private RepositoryState with(Extents newExtents) {
    requireExtents();
    long growth = newExtents.bytes() - extents.bytes();
    return new RepositoryState(
        images, volumes, fixes, pins, opens, newExtents, schema, requests, bytes + growth);
  }

  private void requireExtents() {
    if (!schema.has(Feature.EXTENTS)) {
      throw new IllegalStateException("the log has no feature " + Feature.EXTENTS.name());
    }
  }

  @SuppressWarnings("ReferenceEquality") // an unchanged schema is the same object
  private RepositoryState with(Schema newSchema) {
    return new RepositoryState(
        images, volumes, fixes, pins, opens, extents, newSchema, requests, bytes);
  }
}
