package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.model.VolumeFormat;
import java.nio.file.Path;

/**
 * One image of a chain.
 *
 * @param file its name as QEMU resolved the name, relative to the current directory or absolute
 */
public record ChainLink(String file, ImageFile image) {
  static ChainLink of(JsonNode info) {
    return new ChainLink(info.required("filename").asText(), ImageFile.of(info));
  }

  /** Whether this one file holds all its data at the offsets that a map gives. */
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
