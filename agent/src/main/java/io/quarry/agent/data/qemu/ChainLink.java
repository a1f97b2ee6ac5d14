package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * One image of a chain.
 *
 * @param file its name as QEMU resolved it, relative to the current directory or absolute
 */
public record ChainLink(String file, ImageFile image) {
  static ChainLink of(JsonNode info) {
    return new ChainLink(info.required("filename").asText(), ImageFile.of(info));
  }
}
