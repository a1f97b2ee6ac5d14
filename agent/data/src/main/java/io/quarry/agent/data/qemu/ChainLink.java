package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.model.VolumeFormat;
import java.nio.file.Path;

/**
 * One image of a chain.
 *
 * @param file its name as QEMU resolved it, relative to the current directory or absolute
 */
public record ChainLink(String file, ImageFile image) {
  static ChainLink of(JsonNode info) {
    return new ChainLink(info.required("filename").asText(), ImageFile.of(info));
  }

  /** Whether all its data is in this one file, where a map of it says. */
  public boolean isPlain() {
    return image.dataFile().isEmpty()
        && !image.encrypted()
        && (image.format().equals("raw") || image.format().equals("qcow2"))
        && !file.startsWith("json:");
  }

  public Chain.Layer layer() {
    return new Chain.Layer(Path.of(file), VolumeFormat.of(image.format()));
  }
}
