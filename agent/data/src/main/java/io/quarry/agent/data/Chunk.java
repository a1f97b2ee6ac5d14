package io.quarry.agent.data;

/**
 * The range that one lane moves at a time: a part of the image that holds data, maybe with gaps.
 */
record Chunk(long offset, long end) {
  long length() {
    return end - offset;
  }
}
