package io.quarry.agent.data;

/** What one lane moves at a time: a range of the image that holds data, maybe with gaps. */
record Chunk(long offset, long end) {
  long length() {
    return end - offset;
  }
}
