package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.RandomRequests.View;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Sensible requests of callers, which lead to images and chains of images. The other requests come
 * from {@link RandomRequests}.
 */
public final class LikelyRequests {
  private static final String HOST = RandomRequests.HOSTS.getFirst();

  private final Random random;
  private final long unit;
  private int ids;

  /**
   * @param unit of the sizes of disks, in bytes
   */
  public LikelyRequests(Random random, long unit) {
    this.random = random;
    this.unit = unit;
  }

  /** A request, and its repository. */
  public record To(View repository, Request request) {}

  /** Related requests, in that order; none when no image is fit for them. */
  public List<To> next(View place, View other) {
    RepositoryState state = place.state();
    Image disk = oneOf(images(state, ImageKind.VIRTUAL_DISK, true));
    return switch (random.nextInt(12)) {
      case 0, 1 -> List.of(new To(place, disk(oneOf(images(state, ImageKind.SNAPSHOT, true)))));
      case 2, 3, 4 ->
          disk == null
              ? List.of()
              : List.of(
                  new To(place, new CreateSnapshot(id(), disk.id(), id(), true, nothing(), null)));
      case 5, 6 -> copy(place, random.nextInt(4) == 0 ? place : other);
      case 7, 8, 9 -> remove(place);
      case 10 ->
          disk == null
              ? List.of()
              : List.of(
                  new To(place, new ResizeImage(disk.id(), disk.size() + unit, id(), id(), null)));
      default -> disk == null ? List.of() : upload(place, disk);
    };
  }

  private CreateVirtualDisk disk(@Nullable Image base) {
    boolean over = base != null && random.nextInt(4) > 0;
    long size = unit * (1 + random.nextInt(3));
    return new CreateVirtualDisk(
        id(),
        id(),
        over && base != null ? Math.max(size, base.size()) : size,
        over && base != null ? base.id() : null,
        null,
        random.nextBoolean() ? Strategy.SPACE : Strategy.PERFORMANCE,
        true,
        nothing(),
        null);
  }

  /** A VM starts on a disk; null when no disk is fit for it. */
  public @Nullable OpenImage use(RepositoryState state) {
    Image disk = oneOf(images(state, ImageKind.VIRTUAL_DISK, true));
    return disk == null ? null : new OpenImage(id(), disk.id(), false, HOST, null, null);
  }

  /** Copies to another repository, or a disk to the same one. */
  private List<To> copy(View source, View target) {
    ImageKind kind = random.nextBoolean() ? ImageKind.SNAPSHOT : ImageKind.VIRTUAL_DISK;
    Image image = oneOf(images(source.state(), kind, true));
    boolean snapshot = kind == ImageKind.SNAPSHOT;
    if (image == null || (snapshot && source.key().equals(target.key()))) {
      return List.of();
    }
    List<Image> bases =
        source.state().chainOf(image).stream()
            .skip(1)
            .filter(below -> below.visible() && below.kind() == ImageKind.SNAPSHOT)
            .toList();
    Image base = random.nextBoolean() ? oneOf(bases) : null;
    String baseId = base == null ? null : base.id();
    String pin = id();
    String frozen = id();
    String copy = snapshot ? image.id() : id();
    return List.of(
        new To(
            source,
            new PinForCopy(pin, image.id(), frozen, id(), target.key(), copy, baseId, null)),
        new To(
            target,
            new CopyImage(
                copy,
                id(),
                kind,
                image.size(),
                baseId,
                new CopySource(source.key(), snapshot ? image.id() : frozen, pin),
                random.nextBoolean() ? Strategy.SPACE : Strategy.PERFORMANCE,
                true,
                nothing())));
  }

  /** Mostly removes an image with overlays, whose data is then to be merged. */
  private List<To> remove(View place) {
    List<Image> all = new ArrayList<>(images(place.state(), ImageKind.SNAPSHOT, false));
    List<Image> bases =
        all.stream().filter(one -> !place.state().overlaysOf(one.id()).isEmpty()).toList();
    all.addAll(images(place.state(), ImageKind.VIRTUAL_DISK, false));
    Image image = oneOf(bases.isEmpty() || random.nextInt(4) == 0 ? all : bases);
    return image == null
        ? List.of()
        : List.of(
            new To(
                place, new RemoveImage(image.id(), true, Duration.ZERO, random.nextInt(4) == 0)));
  }

  private List<To> upload(View place, Image disk) {
    String upload = id();
    String volume = id();
    return List.of(
        new To(place, new BeginUpload(upload, disk.id(), volume, HOST, null)),
        new To(place, new FinishUpload(upload, disk.id(), volume + ".2.raw")));
  }

  /**
   * @param free whether to list only whole images that are not open
   */
  private static List<Image> images(RepositoryState state, ImageKind kind, boolean free) {
    return state.images().values().stream()
        .filter(image -> image.visible() && image.kind() == kind)
        .filter(image -> !free || (state.isWhole(image) && state.opensOf(image.id()).isEmpty()))
        .toList();
  }

  private static ObjectNode nothing() {
    return JsonNodeFactory.instance.objectNode();
  }

  private String id() {
    return "like" + ids++;
  }

  private @Nullable Image oneOf(List<Image> choice) {
    return choice.isEmpty() ? null : choice.get(random.nextInt(choice.size()));
  }
}
