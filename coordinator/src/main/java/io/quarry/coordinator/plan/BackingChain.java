package io.quarry.coordinator.plan;

import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The layers that an image's content is read from.
 *
 * @param here the images whose volumes hold the content in this repository, the top first
 * @param elsewhere where the chain continues in another repository; null when all of it is here
 */
public record BackingChain(List<Image> here, @Nullable CopySource elsewhere) {
  public BackingChain {
    here = List.copyOf(here);
  }

  static BackingChain of(RepositoryState state, Image top) {
    List<Image> here = new ArrayList<>();
    @Nullable Image image = top;
    while (image != null) {
      here.add(image);
      Volume volume = state.volumeOf(image);
      if (state.readsElsewhere(volume)) {
        return new BackingChain(here, volume.baseSource());
      }
      String parent = volume.parentImageId();
      image = parent == null ? null : state.images().get(parent);
    }
    return new BackingChain(here, null);
  }

  List<String> volumeIds() {
    return here.stream().map(Image::volumeId).toList();
  }

  /** Whether no visible image is between the top image and the other repository. */
  boolean topIsNext() {
    return here.stream().skip(1).noneMatch(Image::visible);
  }
}
