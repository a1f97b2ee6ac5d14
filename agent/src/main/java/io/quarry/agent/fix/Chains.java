package io.quarry.agent.fix;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.format.RepositoryStorage;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Where the files of volumes are. */
public final class Chains {
  private Chains() {}

  /** The files that hold an image's content now, the top first. */
  public static Chain of(RepositoryStorage storage, RepositoryState state, Image image)
      throws IOException {
    List<Chain.Layer> layers = new ArrayList<>();
    for (Image each : state.chainOf(image)) {
      layers.add(layer(storage, state.volumeOf(each)));
    }
    return new Chain(layers);
  }

  /** The files that an open was handed out, which stay as long as it does. */
  public static Chain of(RepositoryStorage storage, RepositoryState state, Open open)
      throws IOException {
    List<Chain.Layer> layers = new ArrayList<>();
    for (String volumeId : open.volumes()) {
      Volume volume = state.volumes().get(volumeId);
      if (volume == null) {
        throw new IOException("volume " + volumeId + " is gone");
      }
      layers.add(layer(storage, volume));
    }
    return new Chain(layers);
  }

  /** Where a whole volume is. */
  public static Chain.Layer layer(RepositoryStorage storage, Volume volume) throws IOException {
    if (volume.file() == null) {
      throw new IOException("image " + volume.imageId() + " is broken");
    }
    return new Chain.Layer(storage.volume(volume.file()), volume.format());
  }
}
