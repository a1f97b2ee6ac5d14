package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How many layers an image is read through. QEMU's effort to open a chain grows with the third
 * power of the number, and above some hundreds QEMU fails. Counting costs no more than telling
 * whether an image is whole, so no count is stored.
 */
public final class ChainLength {
  private ChainLength() {}

  /**
   * A fix that is not recorded yet: old repositories hold long chains that no request has touched.
   */
  private static final String FLATTEN = "flatten-";

  /** The id under which {@link QueueFix} takes a check's finding about an image's chain. */
  public static String flattenId(String imageId) {
    return FLATTEN + imageId;
  }

  /** The image whose chain is meant; null for the ids of other fixes. */
  static @Nullable String imageOf(String fixId) {
    return fixId.startsWith(FLATTEN) ? fixId.substring(FLATTEN.length()) : null;
  }

  /** Counts the image's own layer and the layers below, as far as they are in this repository. */
  public static int of(RepositoryState state, Image top) {
    return state.chainOf(top).size();
  }

  /** Refuses another layer over an image that has too many. */
  static void requireRoomOver(RepositoryState state, Image base) {
    int layers = of(state, base);
    if (layers >= Limits.CHAIN_LAYERS_MAX) {
      throw refusal(base, layers + 1, Limits.CHAIN_LAYERS_MAX);
    }
  }

  /** Refuses the use of an image that QEMU may fail to read. Old repositories can hold one. */
  public static void requireUsable(Image image, int layers) {
    if (layers > Limits.CHAIN_LAYERS_OPEN_MAX) {
      throw refusal(image, layers, Limits.CHAIN_LAYERS_OPEN_MAX);
    }
  }

  private static StorageException refusal(Image image, int layers, int max) {
    return new StorageException(
        ErrorCode.CHAIN_TOO_LONG,
        "image "
            + image.id()
            + " would be read through "
            + layers
            + " layers, and "
            + max
            + " are the limit",
        image.id(),
        "run the optimize fixes of the images below it, which make the chain shorter, and wait for"
            + " them; quarry fix REPO --type optimize does both");
  }

  /**
   * The image of a long chain that is to get a volume of its own; null when the chain is short.
   * This is the lowest visible image with more than {@link Limits#CHAIN_LAYERS_FLATTEN} layers. One
   * copy of it takes that many layers from all images above.
   */
  public static @Nullable Image toFlatten(RepositoryState state, Image top) {
    List<Image> chain = state.chainOf(top);
    for (int depth = Limits.CHAIN_LAYERS_FLATTEN + 1; depth <= chain.size(); depth++) {
      Image image = chain.get(chain.size() - depth);
      if (image.visible()) {
        return image;
      }
    }
    return null;
  }

  static boolean isTooLong(RepositoryState state, Image image) {
    Image found = toFlatten(state, image);
    return found != null && found.id().equals(image.id());
  }
}
